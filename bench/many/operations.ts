/** Returns the id of the n-th operation. */
export function idOf(index: number): string {
  return `${index.toString(16).padStart(8, "0")}-e49d-41bd-8dd8-de719b9de3b3`;
}

/** Returns the body of DevCenter's response to a poll. */
export function statusText(id: string, status = "Running"): string {
  return JSON.stringify({
    id: `/projects/myProject/operationStatuses/${id}`,
    name: id,
    status,
    startTime: "2024-01-24T21:14:58.4720000+00:00",
  });
}
