import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { startRedis } from "../../examples/redis-server.ts";
import type { RedisServer } from "../../examples/redis-server.ts";

/** Nodes on the loopback address that form a Redis Cluster. */
export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly RedisServer["connection"][];
}

const slotCount = 16_384;

/** Starts three nodes with a third of the slots each, and a replica of each. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
  const servers = await Promise.all(Array.from({ length: 6 }, () => startRedis(settings)));
  const nodes = servers.map(({ connection }) => connection);
  const clients = nodes.map((node) => new Redis(node));
  try {
    await join(clients, nodes);
  } finally {
    for (const client of clients) client.disconnect();
  }
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

async function join(clients: readonly Redis[], nodes: RedisCluster["nodes"]): Promise<void> {
  const primaries = clients.slice(0, 3);
  await Promise.all(
    clients.map(async (client, index) => {
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1);
      for (const { host, port } of nodes) await client.call("CLUSTER", "MEET", host, port);
    }),
  );
  await Promise.all(
    primaries.map((client, index) => {
      const [first, next] = [index, index + 1].map((third) => Math.floor((third * slotCount) / 3));
      return client.call("CLUSTER", "ADDSLOTSRANGE", first ?? 0, (next ?? slotCount) - 1);
    }),
  );
  const ids = await Promise.all(primaries.map((client) => client.call("CLUSTER", "MYID")));
  await untilAll(clients, async (client) => (await infoOf(client)).includes("cluster_known_nodes:6"));
  await Promise.all(
    clients.slice(3).map((client, index) => client.call("CLUSTER", "REPLICATE", String(ids[index]))),
  );
  await untilAll(clients, async (client) => (await infoOf(client)).includes("cluster_state:ok"));
}

async function infoOf(client: Redis): Promise<string> {
  return String(await client.call("CLUSTER", "INFO"));
}

async function untilAll(
  clients: readonly Redis[],
  isReady: (client: Redis) => Promise<boolean>,
): Promise<void> {
  while (!(await Promise.all(clients.map(isReady))).every(Boolean)) await delay(50);
}
