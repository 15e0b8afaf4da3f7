/** What the operating system's codes mean to somebody who reads an error message. */
const WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EADDRINUSE: "another process listens there",
  EADDRNOTAVAIL: "this host has no such address",
  EEXIST: "there is a file of that name",
  EISDIR: "it is a directory",
  ELOOP: "its symbolic links go round in a circle",
  EMFILE: "too many open files (EMFILE)",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file or directory",
  ENOSPC: "no space is left on the device (ENOSPC)",
  ENOTDIR: "a part of the path is a file, not a directory (ENOTDIR)",
  EPERM: "the operation is not permitted",
  EROFS: "the file system is read-only (EROFS)",
};

/** Whatever was thrown, in words: those of the system's code where it has one that is known here, else its message. */
export function systemWords(thrown: unknown): string {
  const { code } = (thrown ?? {}) as { code?: unknown };
  const words = typeof code === "string" && Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  return words ?? (thrown instanceof Error ? thrown.message : String(thrown));
}
