// Reads the files as JSON, and says which are none.
import { readFileSync } from "node:fs";

let failed = false;
for (const file of process.argv.slice(2)) {
  try {
    const { name, routines, connections } = JSON.parse(readFileSync(file, "utf8"));
    if (typeof name !== "string") throw new Error("it has no name");
    if (!Array.isArray(routines) || !Array.isArray(connections)) throw new Error("it is no flow");
  } catch (error) {
    failed = true;
    console.error(`${file}: ${error.message}`);
  }
}
process.exit(failed ? 1 : 0);
