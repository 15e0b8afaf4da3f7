/** Looks again and again until it is so; after the limit an error says what did not come. */
export async function until(
  wanted: () => boolean | Promise<boolean>,
  what: () => string = () => "it",
  limitMs = 30_000,
): Promise<void> {
  for (const started = performance.now(); !(await wanted()); ) {
    if (performance.now() - started > limitMs) throw new Error(`does not come: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
