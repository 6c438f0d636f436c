/** `npm run schemas`: writes the JSON Schemas of all documents beside this file. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { allSchemas } from './json-schema.ts';

for (const file of readdirSync(import.meta.dirname)) {
  if (file.endsWith('.schema.json')) rmSync(`${import.meta.dirname}/${file}`);
}
for (const [file, text] of allSchemas()) writeFileSync(`${import.meta.dirname}/${file}`, text);
