import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Asks on this process's terminal, the answer unseen; undefined where input or output is no terminal. */
export function terminalSecret(): ((question: string) => Promise<string>) | undefined {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return (question) =>
    new Promise((resolve, reject) => {
      stderr.write(question);
      const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
      const lines = createInterface({ input: stdin, output: unseen, terminal: true });
      let answered = false;
      lines.question("", (answer) => {
        answered = true;
        stderr.write("\n");
        lines.close();
        resolve(answer);
      });
      lines.on("close", () => {
        if (!answered) reject(new Error("no answer"));
      });
    });
}
