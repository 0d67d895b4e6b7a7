// The code of docs/integrating.md, taken from the page, so that it can be run as it stands there.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const file = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../docs/integrating.md');
const page = readFileSync(file, 'utf8');

// The code under `<!-- run: name -->`.
export function lines(name) {
  const found = new RegExp(`<!-- run: ${name} -->\n\`\`\`js\n([\\s\\S]*?)\`\`\``).exec(page);
  if (!found) throw new Error(`docs/integrating.md has no code to run called ${name}`);
  return found[1];
}

// Pieces of code, one after the other, as a module with a function `example` that is given `inputs` and returns `outputs`.
export function asModule(names, inputs, outputs) {
  const code = names.map(lines).join('\n').split('\n');
  const isImport = line => /^import /.test(line);
  return [
    ...new Set(code.filter(isImport)),
    `export async function example({ ${inputs.join(', ')} }) {`,
    ...code.filter(line => !isImport(line)),
    `return { ${outputs.join(', ')} };`,
    '}',
  ].join('\n');
}
