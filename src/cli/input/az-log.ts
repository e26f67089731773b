import { stripVTControlCharacters } from "node:util";

/** A request in the log of `az --debug`, and the response to it. */
interface Exchange {
  readonly method: string | undefined;
  readonly url: string;
  readonly status: string | undefined;
  readonly header: (name: string) => string | undefined;
}

/** Removes what terminals and CI systems add to each line: colours, times, and the NULs of UTF-16. */
export function plainLog(text: string): string {
  return stripVTControlCharacters(text.replaceAll("\0", "").replaceAll(/[\uFEFF\uFFFD]/g, "")).replaceAll(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z /gm,
    "",
  );
}

/** Returns whether a text has lines of the log of `az --debug`. */
export function isAzLog(text: string): boolean {
  return /^(?:DEBUG: )?(?:cli|msrest)\.[\w.]+ ?: /m.test(text);
}

/**
 * Returns the URLs of the operations in the log of `az --debug`: for each request that started one, the last URL that
 * the service named. The log holds tokens and bodies, so nothing else of it may be shown.
 */
export function operationUrlsIn(log: string): string[] {
  /** By the URL to poll, without its query: services sign it anew with each response. */
  const operations = new Map<string, string>();
  for (const exchange of exchangesIn(log)) {
    const next = operationUrlOf(exchange);
    const isPoll = exchange.method === "GET";
    const polled = withoutQuery(exchange.url);
    // A GET that polls none of the operations starts none either.
    if (next === undefined || (isPoll && !operations.has(polled))) continue;
    if (isPoll) operations.delete(polled);
    operations.set(withoutQuery(next), next);
  }
  return [...operations.values()];
}

/** By the modules that log requests as they are, of `az rest` too. Another one redacts URLs. A terminal has no levels. */
const logLine =
  /^(?:(?:DEBUG|INFO): )?(?:cli\.azure\.cli\.core\.(?:sdk\.policies|util)|msrest\.http_logger|azure\.core\.pipeline\.policies\._universal) ?: (.*)$/;

function exchangesIn(log: string): Exchange[] {
  const messages = log.split(/\r?\n/).flatMap((line) => logLine.exec(line)?.slice(1) ?? []);
  const [, ...exchanges] = messages.join("\n").split(/^Request URL: /m);
  return exchanges.map((text) => {
    const response = text.slice(text.indexOf("\nResponse status: "));
    return {
      url: /^'(.*)'$/m.exec(text)?.[1] ?? "",
      method: /^Request method: '(.*)'$/m.exec(text)?.[1],
      status: /^Response status: (\d+)$/m.exec(response)?.[1],
      header: (name) => new RegExp(`^ +'${name}': '(.*)'$`, "im").exec(response)?.[1],
    };
  });
}

/** Returns the status monitor that a response names, or else the polling location. */
function operationUrlOf({ status, header, url }: Exchange): string | undefined {
  const location = status === "202" ? header("Location") : undefined;
  const next = header("Azure-AsyncOperation") ?? header("Operation-Location") ?? location;
  if (next === undefined || URL.canParse(next)) return next;
  return URL.canParse(next, url) ? new URL(next, url).href : undefined;
}

function withoutQuery(url: string): string {
  return url.replace(/\?.*/s, "");
}
