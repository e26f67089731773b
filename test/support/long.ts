/**
 * Whether the tests run in their long forms: with more cases, kinds or repetitions than show a defect in seconds.
 * `npm run test:long` runs the files that import this, and those of `vitest.config.ts` that are long as a whole.
 */
export const isLong: boolean = process.env["LONG"] !== undefined;
