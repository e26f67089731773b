import { allowedOriginsAdvice, parseUrl } from "./validation.ts";

/**
 * The hosts of Azure's services and the audience of their tokens, from Azure's SDKs and their environments. A name that
 * starts with a dot stands for every host that ends with it. The list is closed: a token goes to no other host unless
 * the caller says for which scopes.
 */
export const audienceOfHost: ReadonlyMap<string, string> = new Map([
  // Azure Resource Manager, with its regions
  ["management.azure.com", "https://management.azure.com"],
  [".management.azure.com", "https://management.azure.com"],
  ["management.usgovcloudapi.net", "https://management.usgovcloudapi.net"],
  [".management.usgovcloudapi.net", "https://management.usgovcloudapi.net"],
  ["management.chinacloudapi.cn", "https://management.chinacloudapi.cn"],
  [".management.chinacloudapi.cn", "https://management.chinacloudapi.cn"],
  // Microsoft Graph
  ["graph.microsoft.com", "https://graph.microsoft.com"],
  ["graph.microsoft.us", "https://graph.microsoft.us"],
  ["dod-graph.microsoft.us", "https://dod-graph.microsoft.us"],
  ["microsoftgraph.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"],
  // DevCenter
  [".devcenter.azure.com", "https://devcenter.azure.com"],
  // Key Vault and Managed HSM
  [".vault.azure.net", "https://vault.azure.net"],
  [".vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net"],
  [".vault.azure.cn", "https://vault.azure.cn"],
  [".managedhsm.azure.net", "https://managedhsm.azure.net"],
  [".managedhsm.usgovcloudapi.net", "https://managedhsm.usgovcloudapi.net"],
  [".managedhsm.azure.cn", "https://managedhsm.azure.cn"],
  // AI services
  [".cognitiveservices.azure.com", "https://cognitiveservices.azure.com"],
  [".openai.azure.com", "https://cognitiveservices.azure.com"],
  [".api.cognitive.microsoft.com", "https://cognitiveservices.azure.com"],
  [".cognitiveservices.azure.us", "https://cognitiveservices.azure.us"],
  [".openai.azure.us", "https://cognitiveservices.azure.us"],
  [".cognitiveservices.azure.cn", "https://cognitiveservices.azure.cn"],
  // Fabric, with its private links, and Power BI
  ["api.fabric.microsoft.com", "https://api.fabric.microsoft.com"],
  [".w.api.fabric.microsoft.com", "https://api.fabric.microsoft.com"],
  ["api.powerbi.com", "https://analysis.windows.net/powerbi/api"],
  // Synapse
  [".dev.azuresynapse.net", "https://dev.azuresynapse.net"],
  [".dev.azuresynapse.usgovcloudapi.net", "https://dev.azuresynapse.usgovcloudapi.net"],
  [".dev.azuresynapse.azure.cn", "https://dev.azuresynapse.azure.cn"],
  // Storage
  ...storageHosts("core.windows.net"),
  ...storageHosts("core.usgovcloudapi.net"),
  ...storageHosts("core.chinacloudapi.cn"),
  // Others
  [".batch.azure.com", "https://batch.core.windows.net"],
  [".batch.usgovcloudapi.net", "https://batch.core.usgovcloudapi.net"],
  [".batch.chinacloudapi.cn", "https://batch.chinacloudapi.cn"],
  [".appconfig.azure.us", "https://appconfig.azure.us"],
  [".appconfig.azure.cn", "https://appconfig.azure.cn"],
  [".search.windows.net", "https://search.azure.com"],
  [".search.azure.us", "https://search.azure.us"],
  [".search.azure.cn", "https://search.azure.cn"],
  [".purview.azure.com", "https://purview.azure.net"],
  [".deid.azure.com", "https://deid.azure.com"],
  [".digitaltwins.azure.net", "https://digitaltwins.azure.net"],
  [".api.adu.microsoft.com", "https://api.adu.microsoft.com"],
  [".azure-devices.net", "https://iothubs.azure.net"],
  [".communication.azure.com", "https://communication.azure.com"],
  ["atlas.microsoft.com", "https://atlas.microsoft.com"],
  [".atlas.microsoft.com", "https://atlas.microsoft.com"],
  [".servicebus.windows.net", "https://servicebus.azure.net"],
  [".api.azureml.ms", "https://ml.azure.com"],
]);

function storageHosts(cloud: string): [string, string][] {
  return ["blob", "queue", "table", "file", "dfs"].map((service) => [
    `.${service}.${cloud}`,
    "https://storage.azure.com",
  ]);
}

/** The hosts whose audience the name alone does not tell, and the audiences that they take. */
export const ambiguousHosts: ReadonlyMap<string, readonly string[]> = new Map([
  [".services.ai.azure.com", ["https://ai.azure.com", "https://cognitiveservices.azure.com"]],
  [".azconfig.io", ["https://appconfig.azure.com", "https://azconfig.io"]],
  [".appconfig.azure.com", ["https://appconfig.azure.com", "https://azconfig.io"]],
  [".fhir.azurehealthcareapis.com", ["https://{account}.fhir.azurehealthcareapis.com"]],
]);

/** The audience of Azure Resource Manager, whose regions have hosts of their own. */
const isRegional = /^https:\/\/management\./;

/**
 * Returns the scope of the tokens for a host of an Azure service. Only https at the usual port is one.
 *
 * @throws RangeError that names the host and what to do, if it is none, or has several audiences
 */
export function scopeOf(url: URL): string {
  const audience = audienceAt(url);
  if (audience !== undefined) return `${audience}/.default`;
  const choices = found(ambiguousHosts, url.hostname);
  const why = choices
    ? `services at ${url.hostname} take tokens for several scopes: ${choices.map((one) => `${one}/.default`).join(", ")}`
    : `${url.host} is no host of an Azure service that this library knows`;
  throw new RangeError(`scopes: expected the scopes of the token, because ${why}`);
}

/** Returns the check whether requests may go to a URL: to the service of the endpoint, and to the allowed origins. */
export function allowing(endpoint: URL, allowedOrigins: readonly string[]): (url: URL) => boolean {
  return (url) => allowedOrigins.includes(url.origin) || isOfService(endpoint, url);
}

/** Returns a function that makes the URLs of options absolute, and checks their origins. */
export function absoluteAt(
  endpoint: URL,
  allowedOrigins: readonly string[],
): (name: string, url: unknown) => string {
  const isAllowed = allowing(endpoint, allowedOrigins);
  return (name, url) => parseUrl(name, url, endpoint, isAllowed, allowedOriginsAdvice);
}

/** Returns whether a service answers at a URL of another origin: at a region's, or at that of its signed monitors. */
export function isOfService(endpoint: URL, other: URL): boolean {
  const audience = audienceAt(endpoint);
  const isRegion = audience !== undefined && isRegional.test(audience) && audienceAt(other) === audience;
  return isRegion || isPreauthenticated(endpoint, other);
}

/** The hosts of Microsoft Graph's monitors of copies: their URL is their credential, and a token of Graph gets a 401. */
const preauthenticatedHost = /(^|\.)sharepoint\.com$|^api\.onedrive\.com$/;

/** Returns whether a service names monitors at this URL that must get no token. */
export function isPreauthenticated(endpoint: URL, { protocol, port, hostname }: URL): boolean {
  const isMonitor = protocol === "https:" && port === "" && preauthenticatedHost.test(hostname);
  return isMonitor && /graph\./.test(audienceAt(endpoint) ?? "");
}

/**
 * Returns the URL of the same operation at Microsoft Fabric's API, or the URL as it is if it is none. Fabric names
 * operations at hosts of a region, which take no token.
 */
export function atFabricApi(url: string, endpoint: URL): string {
  if (audienceAt(endpoint) !== "https://api.fabric.microsoft.com" || !URL.canParse(url)) return url;
  const { hostname, pathname } = new URL(url);
  const isOperation = /^\/v1\/operations\/[^/]+$/.test(pathname);
  return isOperation && hostname.endsWith(".analysis.windows.net") ? endpoint.origin + pathname : url;
}

/** Returns the audience of a URL's host, if the table has one. Only https at the usual port is in it. */
export function audienceAt({ protocol, port, hostname }: URL): string | undefined {
  return protocol === "https:" && port === "" ? found(audienceOfHost, hostname) : undefined;
}

/** Matches whole labels: `evilvault.azure.net` does not end with `.vault.azure.net`. */
function found<T>(table: ReadonlyMap<string, T>, hostname: string): T | undefined {
  const exact = hostname.startsWith(".") ? undefined : table.get(hostname);
  if (exact !== undefined) return exact;
  for (let dot = hostname.indexOf("."); dot > 0; dot = hostname.indexOf(".", dot + 1)) {
    const entry = table.get(hostname.slice(dot));
    if (entry !== undefined) return entry;
  }
  return undefined;
}
