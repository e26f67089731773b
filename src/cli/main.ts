#!/usr/bin/env node
// No static imports: an older Node would fail at one, before the check of its version.
const [minMajor, minMinor] = [22, 3];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < minMajor || (major === minMajor && minor < minMinor)) {
  process.stderr.write(`lro needs Node ${minMajor}.${minMinor} or newer; this is ${process.version}\n`);
  process.exitCode = 2;
} else {
  const text = preparedText(process.argv.slice(2));
  if (text === undefined) {
    const { runProcess } = await import("./process.ts");
    await runProcess();
  } else {
    print(text);
  }
}

/**
 * Returns the text that the build has made of the command itself for these arguments. To print it costs little more than
 * to start Node. Shells run `lro completion` at each start.
 */
function preparedText(argv: readonly string[]): string | undefined {
  if (argv.some((word) => word.includes(" "))) return undefined;
  const words = argv
    .join(" ")
    .replace(/^-V$/, "--version")
    .replace(/(^| )-h$/, "$1--help");
  const key = words.replace(/^help$/, "--help").replace(/^help ([a-z]+)$/, "$1 --help");
  const isHelp = key.endsWith("--help");
  if (!isHelp && !/^(completion [a-z]+|--version)$/.test(key)) return undefined;
  // A terminal gets help of its own width.
  return isHelp && process.stdout.isTTY ? undefined : textsOfBuild()[key];
}

/** Returns none in a checkout, which has no build. */
function textsOfBuild(): Readonly<Record<string, string>> {
  try {
    const { readFileSync } = process.getBuiltinModule("node:fs");
    return JSON.parse(readFileSync(new URL("texts.json", import.meta.url), "utf8"));
  } catch {
    return {};
  }
}

function print(text: string): void {
  const { stdout, stderr } = process;
  // The reader may have closed the output (`lro --help | head`), which is its right.
  stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    if (code === "EPIPE" || code === "EIO") return;
    stderr.write(`error: could not write the output: ${message}\n`);
    process.exitCode = 5;
  });
  stdout.write(text);
}
