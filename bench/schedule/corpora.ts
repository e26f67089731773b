import { exponentialLaw, logNormal, mixture, pareto, uniform, weibull } from "./laws.ts";
import type { Law } from "./laws.ts";

/** Prices of a poll, in seconds of lateness. */
export const prices: readonly number[] = [1, 4, 10];

/** The durations of kinds of operations, of a minute and more. */
export const longLaws: readonly Law[] = [
  logNormal("1 min", 75, 0.4),
  logNormal("5 min", 300, 0.4),
  logNormal("20 min", 1200, 0.4),
  logNormal("1 h", 3600, 0.4),
  logNormal("3 h", 10_800, 0.4),
  mixture("1 or 45 min", 0.3, logNormal("1 min", 60, 0.4), logNormal("45 min", 2700, 0.3)),
];

/** The durations of kinds of operations, from seconds to hours. */
export const laws: readonly Law[] = [
  logNormal("5 s", 5, 0.4),
  logNormal("20 s", 20, 0.4),
  ...longLaws,
  logNormal("10 min, wide", 600, 1),
  exponentialLaw("any time, 10 min", 600),
  uniform("up to 30 min", 1, 1800),
];

/** Laws that the duration model was not built for. */
export const unseenLaws: readonly Law[] = [
  weibull("Weibull, 0.7", 300, 0.7),
  weibull("Weibull, 3", 300, 3),
  pareto("Pareto, 1.5", 60, 1.5),
  pareto("Pareto, 3", 60, 3),
  logNormal("near-constant", 300, 0.02),
  mixture("1 min or 1 h", 0.5, logNormal("1 min", 60, 0.1), logNormal("1 h", 3600, 0.1)),
];
