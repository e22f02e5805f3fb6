// Tells what AsyncAPI's official parser has against a document; the exit code is 1 if it is none.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const ERROR = 0;
const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const errors = diagnostics.filter((one) => one.severity === ERROR);
for (const one of errors) console.log(`${one.path.join(".")}: ${one.message}`);
process.exit(document === undefined || errors.length > 0 ? 1 : 0);
