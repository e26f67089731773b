import { PhoneNumbersClient } from "@azure/communication-phone-numbers";
import { clientOptions, credential, pipelineIn } from "../client.ts";
import type { SdkClient } from "../client.ts";
import { nestedError, resultMark } from "../service.ts";
import { dates, monitorService } from "../services.ts";

const search = {
  countryCode: "US",
  phoneNumberType: "tollFree",
  assignmentType: "application",
  capabilities: { sms: "outbound", calling: "none" },
} as const;
const monitor = "/phoneNumbers/operations/search_1";
const result = "/availablePhoneNumbers/searchResults/s1";
const common = { id: "search_1", operationType: "search", resourceLocation: `{origin}${result}`, ...dates };
const service = monitorService(
  "POST /availablePhoneNumbers/countries/US/:search",
  monitor,
  {},
  { common, failure: { error: nestedError } },
);
const found = {
  searchId: resultMark,
  phoneNumbers: [],
  ...search,
  cost: {},
  searchExpiresBy: dates.createdDateTime,
};

export const communicationPhoneNumbers: SdkClient = {
  name: "@azure/communication-phone-numbers",
  method: "beginSearchAvailablePhoneNumbers",
  generation: "generated",
  service: { ...service, result: [`GET ${result}`, { status: 200, body: found }] },
  async start(endpoint, resumeFrom) {
    const client = new PhoneNumbersClient(endpoint, credential, clientOptions);
    // The method passes all options to its poller, but its type has only those of a request.
    const options = { requestOptions: {}, updateIntervalInMs: 1, ...(resumeFrom && { resumeFrom }) };
    const poller = await client.beginSearchAvailablePhoneNumbers(search, options);
    return { poller, pipeline: pipelineIn(client, "client"), serialize: () => poller.toString() };
  },
};
