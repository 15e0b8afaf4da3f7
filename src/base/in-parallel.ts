/** Runs over all items, so many at a time; the first failure ends it after those under way. */
export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  let first: { readonly thrown: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (next < items.length && first === undefined) {
      const item = items[next++]!;
      try {
        await run(item);
      } catch (thrown) {
        first ??= { thrown };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (first !== undefined) throw first.thrown;
}
