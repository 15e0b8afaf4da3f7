import { open } from "node:fs/promises";
import { LevinError } from "../base/mod.ts";

/**
 * Writes a stream to a new file, so that what comes once (standard input) can be read as often as an import needs.
 * @throws LevinError `ErrUnreadable` where reading or writing fails.
 */
export async function spool(
  input: AsyncIterable<Uint8Array>,
  path: string,
  options: { readonly signal?: AbortSignal; readonly onBytes?: (bytes: number) => void } = {},
): Promise<{ sizeBytes: number }> {
  try {
    const handle = await open(path, "wx");
    let sizeBytes = 0;
    try {
      for await (const block of input) {
        options.signal?.throwIfAborted();
        let at = 0;
        while (at < block.length) at += (await handle.write(block, at)).bytesWritten;
        sizeBytes += block.length;
        options.onBytes?.(sizeBytes);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { sizeBytes };
  } catch (thrown) {
    if (options.signal?.aborted === true) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new LevinError("Levin:Source:ErrUnreadable", `Cannot copy the input to "${path}": ${why}`, {
      cause: thrown,
      fields: { file: path },
    });
  }
}
