/** The default scenario: a small homelab with common problems. */
export const HOMELAB = `
cluster: homelab
times: { pct: 650, start: 700, stop: 600, shutdown: 1100 }
users:
  root: { password: simulator, sudo: all }
nodes:
  pve1:
    storages:
      local: { type: dir, content: "iso,vztmpl,backup", total: 94G, used: 31G }
      local-lvm: { total: 348G, used: 262G }
    machines:
      110: { name: windows11 }
    files:
      /var/log/vzdump-101.log: "INFO: Finished Backup of VM 101 (00:00:38)\\n"
    containers:
      101:
        name: web
        tags: [prod, web]
        description: "nginx in front of the shop"
        ip: 192.168.1.21
        cores: 2
        memory: 1G
        disk: { size: 8G, used: "96%" }
        services:
          nginx: { command: "nginx: master process /usr/sbin/nginx -g daemon on;", ports: [80, 443], description: "A high performance web server and a reverse proxy server" }
          cron: { command: "/usr/sbin/cron -f", description: "Regular background program processing daemon" }
          certbot: { command: "/usr/bin/certbot -q renew", state: failed, description: Certbot }
        files:
          /etc/nginx/nginx.conf: |
            user www-data;
            worker_processes auto;
            events { worker_connections 768; }
            http {
              include /etc/nginx/sites-enabled/*;
              client_max_body_size 64m;
            }
          /etc/nginx/sites-enabled/shop.conf: |
            server {
              listen 80;
              server_name shop.lan;
              root /var/www/shop;
              location /api/ { proxy_pass http://192.168.1.22:8080; }
            }
          /var/www/shop/index.html: "<!doctype html><title>Shop</title><h1>It works</h1>\\n"
          /var/log/nginx/error.log: |
            2026/05/14 03:12:09 [crit] 214#214: *9177 open() "/var/lib/nginx/body/0000000112" failed (28: No space left on device), client: 192.168.1.40, server: shop.lan, request: "POST /api/upload HTTP/1.1"
            2026/05/14 03:12:11 [error] 214#214: *9181 connect() failed (111: Connection refused) while connecting to upstream, client: 192.168.1.40, server: shop.lan, upstream: "http://192.168.1.22:8080/api/cart"
          /var/log/nginx/access.log: |
            192.168.1.40 - - [14/May/2026:03:12:07 +0000] "GET / HTTP/1.1" 200 5120
            192.168.1.40 - - [14/May/2026:03:12:09 +0000] "POST /api/upload HTTP/1.1" 500 177
            192.168.1.41 - - [14/May/2026:03:14:30 +0000] "GET /favicon.ico HTTP/1.1" 404 153
          /var/log/journal/certbot.log: |
            May 14 02:00:01 web certbot[812]: Renewing an existing certificate for shop.lan
            May 14 02:00:02 web certbot[812]: OSError: [Errno 28] No space left on device
            May 14 02:00:02 web systemd[1]: certbot.service: Failed with result 'exit-code'.
          /var/log/syslog: |
            May 14 03:12:09 web nginx[214]: No space left on device
            May 14 03:15:01 web CRON[901]: (root) CMD (command -v debian-sa1 > /dev/null)
        answers:
          "nginx -t": "nginx: configuration file /etc/nginx/nginx.conf test is successful\\n"
          "nginx -v": "nginx version: nginx/1.26.3\\n"
          "du -sh /var/log/nginx": "5.9G\\t/var/log/nginx\\n"
          "du -xh -d ?1 /var.*": "5.9G\\t/var/log\\n1.1G\\t/var/cache\\n212M\\t/var/lib\\n7.3G\\t/var\\n"
        snapshots:
          before-upgrade: { time: 1778716800, description: "before nginx 1.26" }
      102:
        name: db
        tags: [prod, database]
        ip: 192.168.1.22
        cores: 4
        memory: 4G
        memoryUsed: "71%"
        disk: { size: 32G, used: "48%" }
        services:
          postgresql: { command: "/usr/lib/postgresql/17/bin/postgres -D /var/lib/postgresql/17/main", ports: [5432], description: PostgreSQL RDBMS }
          cron: { command: "/usr/sbin/cron -f", description: "Regular background program processing daemon" }
        files:
          /etc/postgresql/17/main/postgresql.conf: |
            listen_addresses = '*'
            max_connections = 100
            shared_buffers = 1GB
          /var/lib/postgresql/17/main/PG_VERSION: { content: "17\\n", mode: "600", owner: "105:109" }
          /var/log/postgresql/postgresql-17-main.log: |
            2026-05-14 03:12:10.881 UTC [402] LOG:  checkpoint complete: wrote 1804 buffers (1.4%)
            2026-05-14 03:20:44.120 UTC [977] FATAL:  remaining connection slots are reserved for superusers
        answers:
          "psql -l": "   Name    |  Owner   | Encoding\\n-----------+----------+----------\\n postgres  | postgres | UTF8\\n shop      | shop     | UTF8\\n(2 rows)\\n"
          "pg_isready.*": "/var/run/postgresql:5432 - accepting connections\\n"
          "psql .*pg_stat_activity.*": " count \\n-------\\n    97\\n(1 row)\\n"
      103:
        name: pihole
        flavour: alpine
        tags: [dns]
        ip: 192.168.1.23
        cores: 1
        memory: 256M
        disk: { size: 4G, used: "22%" }
        services:
          pihole-FTL: { command: "/usr/bin/pihole-FTL -f", ports: [53, 80] }
          crond: { command: "/usr/sbin/crond -f" }
        files:
          /etc/pihole/adlists.list: "https://raw.githubusercontent.com/StevenBlack/hosts/master/hosts\\n"
          /var/log/pihole/pihole.log: |
            May 14 03:30:01 dnsmasq[310]: query[A] ads.example.com from 192.168.1.40
            May 14 03:30:01 dnsmasq[310]: gravity blocked ads.example.com is 0.0.0.0
            May 14 03:30:02 dnsmasq[310]: query[A] shop.lan from 192.168.1.40
        answers:
          "pihole status": "  [✓] FTL is listening on port 53\\n  [✓] Pi-hole blocking is enabled\\n"
          "pihole -v": "Core version is v6.1 (Latest: v6.1)\\n"
      104:
        name: backup-target
        running: false
        tags: [backup]
        memory: 512M
        disk: { size: 64G, used: "61%" }
      105:
        name: media
        lock: backup
        tags: [media]
        ip: 192.168.1.25
        memory: 2G
        disk: { size: 16G, used: "55%" }
        services:
          jellyfin: { command: "/usr/bin/jellyfin --webdir=/usr/share/jellyfin/web", description: Jellyfin Media Server }
  pve2:
    storages:
      local-lvm: { total: 348G, used: 90G }
    containers:
      201:
        name: monitoring
        tags: [ops]
        ip: 192.168.1.31
        services:
          grafana-server: { command: "/usr/share/grafana/bin/grafana server", description: Grafana instance }
      202:
        name: testbed
        flavour: alpine
        running: false
`;
