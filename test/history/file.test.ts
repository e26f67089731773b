import { execFile } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  lstatSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { durationHistory, pollUntilDone } from "lro-poller";
import { createVirtualClock, scriptedOperation } from "lro-poller/testing";
import { FileStore } from "../../src/history/file-store.ts";
import { leapingClock } from "../support/clock.ts";
import { moduleUrl } from "../support/library.ts";
import { historyWithWarnings, temporaryFolder } from "./support.ts";

describe("a duration history in a file", () => {
  it("creates the file and its folder, and leaves nothing else there", async () => {
    const folder = join(temporaryFolder(), "cache", "lro");
    const path = join(folder, "durations.json");
    expect(await durationHistory(path).pastDurations("any")).toEqual([]);
    await durationHistory(path).record("any", 1000);
    await durationHistory(path).record("other", 2000);
    expect(readFileSync(path, "utf8")).toBe(`{
  "version": 1,
  "kinds": [
    {"kind":"any","durationsInMs":[1000]},
    {"kind":"other","durationsInMs":[2000]}
  ]
}
`);
    expect(readdirSync(folder)).toEqual(["durations.json"]);
  });

  it.skipIf(process.platform === "win32").each([0o600, 0o666, 0o640])("keeps its mode %o", async (mode) => {
    const path = join(temporaryFolder(), "durations.json");
    await durationHistory(path).record("any", 1);
    chmodSync(path, mode);
    await durationHistory(path).record("any", 2);
    expect(statSync(path).mode & 0o777).toBe(mode);
    expect(await durationHistory(path).pastDurations("any")).toEqual([1, 2]);
  });

  it("loses nothing that many histories record at the same time", async () => {
    const path = join(temporaryFolder(), "durations.json");
    // Each waits at most 8 s for the lock, and a slow disk takes half a second for each file.
    const recordings = Array.from({ length: 10 }, (_, i) => durationHistory(path).record("any", i + 1));
    await Promise.all(recordings);
    const durations = await durationHistory(path).pastDurations("any");
    expect(durations.map(Number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => i + 1),
    );
  });

  it("loses nothing that several processes record at the same time", async () => {
    const path = join(temporaryFolder(), "durations.json");
    const script = `
      import { durationHistory } from ${JSON.stringify(moduleUrl("index"))};
      const history = durationHistory(process.argv[1]);
      for (let i = 1; i <= 5; i++) await history.record("any", i);`;
    const node = [...process.execArgv, "--input-type=module", "--eval", script, path];
    await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, node)));
    expect(await durationHistory(path).pastDurations("any")).toHaveLength(15);
  });

  it("moves a damaged file away, warns where it is, and starts a new one", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "durations.json");
    writeFileSync(path, '{"version":1,"kin');
    const { history, warnings } = historyWithWarnings(path);
    expect(await history.pastDurations("any")).toEqual([]);
    await history.record("any", 5);
    expect(await history.pastDurations("any")).toEqual([5]);
    const [aside = "", ...others] = readdirSync(folder).filter((name) => name !== basename(path));
    expect(others).toEqual([]);
    expect(aside).toMatch(/^durations\.json\.damaged-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/);
    expect(readFileSync(join(folder, aside), "utf8")).toBe('{"version":1,"kin');
    expect(warnings).toEqual([expect.stringContaining(`they are now in ${join(folder, aside)}`)]);
  });

  it("warns once of a damaged file, even if many histories read it", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "durations.json");
    writeFileSync(path, "damaged");
    const all = Array.from({ length: 8 }, () => historyWithWarnings(path));
    await Promise.all(all.map(({ history }) => history.pastDurations("any")));
    await Promise.all(all.map(({ history }, i) => history.record("any", i + 1)));
    expect(all.flatMap(({ warnings }) => warnings)).toHaveLength(1);
    expect(await durationHistory(path).pastDurations("any")).toHaveLength(8);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it("waits for another process that writes", async () => {
    const path = join(temporaryFolder(), "durations.json");
    writeFileSync(`${path}.lock`, "");
    const recording = durationHistory(path).record("any", 1);
    await expect.poll(() => readdirSync(join(path, ".."))).toEqual(["durations.json.lock"]);
    unlinkSync(`${path}.lock`);
    await recording;
    expect(await durationHistory(path).pastDurations("any")).toEqual([1]);
  });

  it("takes over the lock of a process that died during a write", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "durations.json");
    writeFileSync(`${path}.lock`, "");
    utimesSync(`${path}.lock`, 0, 0);
    await durationHistory(path).record("any", 1);
    expect(await durationHistory(path).pastDurations("any")).toEqual([1]);
    expect(readdirSync(folder)).toEqual(["durations.json"]);
  });

  it("takes over a lock with a future time, as after a clock was set back", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "durations.json");
    writeFileSync(`${path}.lock`, "");
    utimesSync(`${path}.lock`, 4e9, 4e9);
    await durationHistory(path).record("any", 1);
    expect(readdirSync(folder)).toEqual(["durations.json"]);
  });

  it("rejects if a folder is in the place of its lock", async () => {
    const path = join(temporaryFolder(), "durations.json");
    mkdirSync(`${path}.lock`);
    await expect(durationHistory(path).record("any", 1)).rejects.toThrow(
      `${path}.lock is a folder; delete it`,
    );
  });

  it.runIf(existsSync("/proc/self"))("rejects if its folder cannot be created", async () => {
    const path = "/proc/lro-history/deeper/durations.json";
    await expect(durationHistory(path).record("any", 1)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("follows a link", async () => {
    const folder = temporaryFolder();
    const [path, target] = [join(folder, "durations.json"), join(folder, "elsewhere.json")];
    writeFileSync(target, "");
    symlinkSync(target, path);
    await durationHistory(path).record("any", 1);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(await durationHistory(target).pastDurations("any")).toEqual([1]);
  });

  const fs = process.getBuiltinModule("node:fs/promises");
  const refused = (code: string): Error => Object.assign(new Error(`${code}: not permitted`), { code });

  it.each(["EPERM", "EACCES", "EBUSY"])(
    "tries again if Windows refuses access to a file for a moment: %s",
    async (code) => {
      const folder = temporaryFolder();
      const path = join(folder, "durations.json");
      const store = new FileStore(path, leapingClock());
      const spies = [
        vi.spyOn(fs, "rename").mockRejectedValueOnce(refused(code)),
        vi.spyOn(fs, "readFile").mockRejectedValueOnce(refused(code)),
        vi.spyOn(fs, "open").mockRejectedValueOnce(refused(code)),
        vi.spyOn(fs, "unlink").mockRejectedValueOnce(refused(code)),
      ];
      await store.exclusively(() => store.write("new"));
      expect(await store.read()).toBe("new");
      await store.setAside();
      expect(readdirSync(folder)).toEqual([expect.stringContaining("durations.json.damaged-")]);
      for (const spy of spies) {
        expect(spy.mock.calls.length).toBeGreaterThan(1);
        spy.mockRestore();
      }
    },
  );

  it("rejects if access to a file is refused again and again", async () => {
    const clock = leapingClock();
    const store = new FileStore(join(temporaryFolder(), "durations.json"), clock);
    const rename = vi.spyOn(fs, "rename").mockRejectedValue(refused("EPERM"));
    await expect(store.write("new")).rejects.toMatchObject({ code: "EPERM" });
    expect(rename).toHaveBeenCalledTimes(6);
    expect(clock.now()).toBe(620);
    rename.mockRestore();
  });

  it("leaves no draft behind if the file cannot be replaced", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "durations.json"));
    await expect(new FileStore(join(folder, "durations.json")).write("new")).rejects.toBeInstanceOf(Error);
    expect(readdirSync(folder)).toEqual(["durations.json"]);
  });

  it("warns if the file cannot be read, and does not end the wait", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "durations.json");
    mkdirSync(path);
    const { history, warnings } = historyWithWarnings(path);
    const [startTime, endTime] = ["2025-01-01T10:00:00Z", "2025-01-01T10:01:00Z"];
    const operation = scriptedOperation([
      "Running",
      { status: "Succeeded", properties: 42, startTime, endTime },
    ]);
    const clock = createVirtualClock();
    const options = await history.options("any", { clock });
    expect(await clock.runUntilSettled(pollUntilDone(operation, options))).toBe(42);
    await history.settled();
    expect(warnings).toEqual([expect.stringContaining("EISDIR"), expect.stringContaining("EISDIR")]);
    await expect(history.record("any", 1)).rejects.toMatchObject({ code: "EISDIR" });
    expect(readdirSync(folder)).toEqual(["durations.json"]);
  });

  it("needs a platform with files", () => {
    vi.stubGlobal("process", {});
    const withoutFiles = (): unknown => durationHistory("durations.json");
    expect(withoutFiles).toThrow(
      "pathOrStore: expected a store, because there are no files here, got a path",
    );
  });
});
