const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Milliseconds of a Go duration such as `5m0s`, or Go's words on why it is none. */
export function parseGoDuration(text: string): { ms: number; error?: undefined } | { error: string } {
  const quoted = JSON.stringify(text);
  if (text === "0") return { ms: 0 };
  if (text === "") return { error: `time: invalid duration ${quoted}` };
  let ms = 0;
  let rest = text;
  while (rest !== "") {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (part === null) return { error: `time: invalid duration ${quoted}` };
    if (part[2] === "") return { error: `time: missing unit in duration ${quoted}` };
    const unit = UNITS[part[2]!];
    if (unit === undefined) return { error: `time: unknown unit ${JSON.stringify(part[2])} in duration ${quoted}` };
    ms += Number(part[1]) * unit;
    rest = rest.slice(part[0].length);
  }
  return { ms };
}

/** Go's UnixDate form in UTC: `Sat Nov 21 01:36:30 UTC 2026`. */
export function unixDate(ms: number): string {
  const time = new Date(ms);
  const clock = time.toISOString().slice(11, 19);
  const day = String(time.getUTCDate()).padStart(2, " ");
  return `${DAYS[time.getUTCDay()]} ${MONTHS[time.getUTCMonth()]} ${day} ${clock} UTC ${time.getUTCFullYear()}`;
}

/** Go's form of a duration of whole seconds and more: `23m27.5s`. */
export function goDuration(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${(ms % 60_000) / 1000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
