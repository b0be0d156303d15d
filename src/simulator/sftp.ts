import ssh2 from 'ssh2';
import { FileError, type Inode } from './files/inode.ts';
import type { SimulatedNode } from './node/node.ts';

const { STATUS_CODE } = ssh2.utils.sftp;

/** Enough of SFTP to list, fetch and store files of the node. */
export function serveSftp(sftp: ssh2.SFTPWrapper, { files }: SimulatedNode): void {
  const open = new Map<number, { path: string; listed: boolean }>();
  let last = 0;

  const attempt = (id: number, action: () => void) => {
    try {
      action();
    } catch (error) {
      const missing = error instanceof FileError && error.code === 'ENOENT';
      sftp.status(id, missing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE);
    }
  };
  const handleFor = (path: string): Buffer => {
    last += 1;
    open.set(last, { path, listed: false });
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(last);
    return handle;
  };
  const opened = (handle: Buffer) => {
    const found = open.get(handle.readUInt32BE());
    if (!found) throw new FileError('ENOENT', 'read', 'handle');
    return found;
  };

  sftp.on('REALPATH', (id, path) => {
    attempt(id, () => {
      const filename = files.resolve(path === '.' ? '/root' : path);
      sftp.name(id, [{ filename, longname: filename, attrs: attributesOf(files.get(filename)) }]);
    });
  });
  sftp.on('STAT', (id, path) => attempt(id, () => sftp.attrs(id, attributesOf(files.get(path)))));
  sftp.on('LSTAT', (id, path) => attempt(id, () => sftp.attrs(id, attributesOf(files.get(path, false)))));
  sftp.on('OPENDIR', (id, path) => {
    attempt(id, () => {
      files.list(path);
      sftp.handle(id, handleFor(path));
    });
  });
  sftp.on('READDIR', (id, handle) => {
    attempt(id, () => {
      const directory = opened(handle);
      if (directory.listed) return sftp.status(id, STATUS_CODE.EOF);
      directory.listed = true;
      const entries = files.list(directory.path).map((filename) => {
        const attrs = attributesOf(files.get(`${directory.path}/${filename}`, false));
        return { filename, longname: filename, attrs };
      });
      sftp.name(id, entries);
    });
  });
  sftp.on('OPEN', (id, path, flags) => {
    attempt(id, () => {
      const writes = (flags & (ssh2.utils.sftp.OPEN_MODE.WRITE | ssh2.utils.sftp.OPEN_MODE.TRUNC)) !== 0;
      if (writes) files.write(path, '');
      else files.read(path);
      sftp.handle(id, handleFor(path));
    });
  });
  sftp.on('READ', (id, handle, offset, length) => {
    attempt(id, () => {
      const content = files.read(opened(handle).path);
      if (offset >= content.length) sftp.status(id, STATUS_CODE.EOF);
      else sftp.data(id, content.subarray(offset, offset + length));
    });
  });
  sftp.on('WRITE', (id, handle, offset, data) => {
    attempt(id, () => {
      const { path } = opened(handle);
      const content = files.read(path);
      files.write(
        path,
        Buffer.concat([content.subarray(0, offset), data, content.subarray(offset + data.length)]),
      );
      sftp.status(id, STATUS_CODE.OK);
    });
  });
  sftp.on('CLOSE', (id, handle) => {
    open.delete(handle.readUInt32BE());
    sftp.status(id, STATUS_CODE.OK);
  });
  for (const event of ['FSTAT'] as const) {
    sftp.on(event, (id, handle) =>
      attempt(id, () => sftp.attrs(id, attributesOf(files.get(opened(handle).path)))),
    );
  }
  for (const event of ['SETSTAT', 'FSETSTAT'] as const)
    sftp.on(event, (id: number) => sftp.status(id, STATUS_CODE.OK));
  sftp.on('REMOVE', (id, path) => {
    attempt(id, () => {
      files.remove(path);
      sftp.status(id, STATUS_CODE.OK);
    });
  });
}

const TYPE_BITS: Readonly<Record<string, number>> = { directory: 0o040000, link: 0o120000, file: 0o100000 };

function attributesOf(inode: Inode) {
  const time = Math.floor(inode.mtime.getTime() / 1000);
  return {
    mode: inode.mode | (TYPE_BITS[inode.kind] ?? 0o100000),
    uid: inode.uid,
    gid: inode.gid,
    size: inode.kind === 'file' ? inode.content.length : 0,
    atime: time,
    mtime: time,
  };
}
