// Has D2 lay the files out and draw them, and says which it does not take.
import { readFileSync } from "node:fs";
import { D2 } from "@terrastruct/d2";

const d2 = new D2();
let failed = false;
for (const file of process.argv.slice(2)) {
  try {
    const { diagram, renderOptions } = await d2.compile(readFileSync(file, "utf8"));
    const svg = await d2.render(diagram, renderOptions);
    if (!svg.includes("<svg")) throw new Error("no picture came out");
  } catch (error) {
    failed = true;
    console.error(`${file}: ${error.message}`);
  }
}
process.exit(failed ? 1 : 0);
