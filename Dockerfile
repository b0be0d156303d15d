# syntax=docker/dockerfile:1

FROM node:22-alpine AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Install scripts would only compile the optional native parts of ssh2, and the image has no compiler.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts scripts
COPY src src
# npm prune leaves empty scope directories.
RUN npm run build \
 && npm prune --omit=dev --omit=optional --ignore-scripts \
 && find node_modules -type d -empty -delete

FROM node:22-alpine
LABEL org.opencontainers.image.title="proxmox-mcp-server" \
      org.opencontainers.image.description="MCP server for the LXC containers of Proxmox VE, over SSH" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY LICENSE package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# The running container needs no package manager. Everything that is written goes to two volumes.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-* \
 && ln -s /app/dist/bin.js /usr/local/bin/proxmox-mcp \
 && mkdir -p /state /files \
 && chmod 700 /state \
 && chown 1000:1000 /state /files
ENV NODE_ENV=production \
    HOME=/state \
    XDG_CONFIG_HOME=/state \
    STATE_DIR=/state/proxmox-mcp \
    TRANSFER_DIRS=/files
VOLUME ["/state", "/files"]
EXPOSE 8000
# Numeric, so that Kubernetes can verify that it is not root. 1000 is the user `node` of the base image.
USER 1000:1000
# The server listens on all addresses of the container. Publishing the port controls access from outside.
HEALTHCHECK --interval=30s --timeout=10s --start-period=10s --retries=3 \
  CMD ["node", "/app/dist/bin.js", "health", "--host", "0.0.0.0"]
ENTRYPOINT ["node", "/app/dist/bin.js"]
CMD ["serve", "--http", "--host", "0.0.0.0"]
