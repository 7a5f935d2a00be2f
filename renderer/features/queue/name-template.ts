/** '{concept} {edit}' -> 'Dancer edit 3': a name that every file system takes. Unknown places stay as written. */
export function fillTemplate(template: string, values: Record<string, string>): string {
  const filled = template.replaceAll(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
  const safe = filled
    .replaceAll(/[/\\:*?"<>|]/g, ' ')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
    .replaceAll(/[\u0000-\u001f]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^\.+/, '')
    .slice(0, 100)
    .trim();
  return safe || 'motif';
}
