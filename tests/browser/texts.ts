// The interface's own texts, so that tests press what people read, in both languages.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export type Language = 'zh-CN' | 'en';

const locales = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../client/locales');
const files = new Map<string, Record<string, string>>();

// `text('en', 'console.next_round', { n: 2 })` is "Start round 2".
export function text(language: Language, key: string, values: Record<string, string | number> = {}): string {
  const [namespace, ...names] = key.split('.');
  const file = path.join(locales, language, `${namespace}.json`);
  if (!files.has(file)) files.set(file, JSON.parse(readFileSync(file, 'utf8')));
  const found = names.reduce<any>((texts, name) => texts?.[name], files.get(file));
  if (typeof found !== 'string') throw new Error(`no text ${key}`);
  return found.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, value) => String(values[value] ?? ''));
}
