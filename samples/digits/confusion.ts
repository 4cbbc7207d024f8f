/** How often each digit was taken for each other one, as text. */
export function confusionTable(counts: readonly (readonly number[])[]): string {
  const cell = (text: string | number): string => String(text).padStart(4);
  const digits = counts.map((_, digit) => cell(digit)).join('');
  const rows = counts.map(
    (row, digit) => `${cell(digit)} │${row.map((n) => cell(n === 0 ? '·' : n)).join('')}`,
  );
  return `true │ taken for\n     │${digits}\n─────┼${'─'.repeat(4 * counts.length)}\n${rows.join('\n')}\n`;
}
