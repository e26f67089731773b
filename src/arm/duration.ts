const pattern = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Returns the milliseconds of a duration such as `PT2H9.4291528S`; `undefined` if it is none. */
export function toDurationInMs(value: unknown): number | undefined {
  const found = typeof value === "string" ? pattern.exec(value) : null;
  if (found === null) return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}
