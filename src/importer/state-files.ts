import { type AppendFile, type Files, LevinError, type ReadFile, systemWords } from "../base/mod.ts";

/** What may be done about an error of the system, where there is something else than its name. */
const hints: Record<string, string> = {
  ENOSPC: "free space there",
  EDQUOT: "raise the quota there",
  EROFS: "choose another --state-dir",
  EACCES: "levin may not write there: choose another --state-dir",
  EPERM: "levin may not write there: choose another --state-dir",
  EFBIG: "raise the limit of file sizes (ulimit -f)",
  EMFILE: "raise the limit of open files (ulimit -n)",
  ENFILE: "raise the system's limit of open files (fs.file-max)",
};

/** What the system said about a file, as `Levin:State:ErrDisk`. */
export function stateError(path: string, what: string, thrown: unknown): LevinError {
  if (thrown instanceof LevinError) return thrown;
  const { code } = thrown as { code?: string };
  // Directories above are made too: there is one that takes none.
  const isNoPlace = code === "ENOENT" && what === "make the directory";
  const words = isNoPlace ? "the system takes no directory there" : systemWords(thrown);
  const hint = code === undefined || hints[code] === undefined ? "" : `; ${hints[code]}, then run the same command`;
  return new LevinError("Levin:State:ErrDisk", `Cannot ${what} "${path}": ${words}${hint}`, {
    cause: thrown,
    fields: { path, cause: code },
  });
}

/** The same files, whose errors say what could not be done with which path. */
export function stateFiles(files: Files): Files {
  const named = async <T>(path: string, what: string, run: Promise<T>): Promise<T> => {
    try {
      return await run;
    } catch (thrown) {
      throw stateError(path, what, thrown);
    }
  };
  return {
    makeDir: (path) => named(path, "make the directory", files.makeDir(path)),
    read: (path) => named(path, "read", files.read(path)),
    replace: (path, bytes) => named(path, "write", files.replace(path, bytes)),
    openAppend: async (path) => namedAppend(path, await named(path, "open", files.openAppend(path)), named),
    openRead: async (path) => {
      const file = await named(path, "open", files.openRead(path));
      return file && namedRead(path, file, named);
    },
    truncate: (path, size) => named(path, "cut", files.truncate(path, size)),
    remove: (path) => named(path, "remove", files.remove(path)),
    removeTree: (path) => named(path, "remove", files.removeTree(path)),
    list: (path) => named(path, "list", files.list(path)),
    entries: (path) => named(path, "list", files.entries(path)),
    writeSynced: (path, bytes) => named(path, "write", files.writeSynced(path, bytes)),
    rename: (from, to) => named(from, "rename", files.rename(from, to)),
    link: (from, to) => named(from, "link", files.link(from, to)),
    syncDir: (path) => named(path, "sync", files.syncDir(path)),
    freeBytes: (path) => named(path, "look at", files.freeBytes(path)),
  };
}

type Named = <T>(path: string, what: string, run: Promise<T>) => Promise<T>;

function namedAppend(path: string, file: AppendFile, named: Named): AppendFile {
  return {
    append: (bytes) => named(path, "write", file.append(bytes)),
    sync: () => named(path, "sync", file.sync()),
    close: () => named(path, "close", file.close()),
  };
}

function namedRead(path: string, file: ReadFile, named: Named): ReadFile {
  return {
    size: () => named(path, "read", file.size()),
    readAt: (into, at) => named(path, "read", file.readAt(into, at)),
    close: () => named(path, "close", file.close()),
  };
}
