const colours: ReadonlyMap<string, string> = new Map([
  ["31", "#ff7b72"],
  ["32", "#56d364"],
  ["33", "#e3b341"],
  ["36", "#56d4dd"],
]);

/** A terminal's text with its colours, as HTML. */
export function pageOfScreen(screen: string): string {
  return `<!doctype html><meta charset="utf-8"><style>
    pre { display: inline-block; margin: 0; padding: 14px 18px; border-radius: 8px;
      background: #0d1117; color: #e6edf3; font: 13px/1.35 "DejaVu Sans Mono", monospace; }
  </style><pre>${htmlOf(screen.trimEnd())}</pre>`;
}

const escape = "\u001B";
const sequence = new RegExp(`${escape}\\[([\\d;]*)m([^${escape}]*)`, "g");

function htmlOf(screen: string): string {
  let colour: string | undefined;
  let isDim = false;
  return `${escape}[0m${screen}`.replaceAll(sequence, (_all, codes: string, text: string) => {
    for (const code of codes.split(";")) {
      colour = /^(?:0?|39)$/.test(code) ? undefined : (colours.get(code) ?? colour);
      isDim = code === "2" || (isDim && !/^(?:0?|22)$/.test(code));
    }
    const plain = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const style = `${colour === undefined ? "" : `color: ${colour};`}${isDim ? "opacity: .5" : ""}`;
    return style === "" ? plain : `<span style="${style}">${plain}</span>`;
  });
}
