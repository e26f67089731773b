import { createVirtualClock } from "lro-poller/testing";
import type { VirtualClock } from "lro-poller/testing";

/** Stands for the system's clock, where a test puts it in its place. */
export const virtualClock: VirtualClock = createVirtualClock();
