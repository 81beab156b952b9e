/**
 * The lines of a text stream in UTF-8, as many at a time as a chunk of it completes. A byte order mark,
 * as spreadsheet programs write one, and the `\r` of `\r\n` are not part of a line. Leaving the loop
 * early closes the stream.
 */
export async function* lineBatches(
  stream: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (!rest.includes("\n")) continue;
    const lines = rest.split(/\r?\n/);
    rest = lines.pop() ?? "";
    yield lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield [rest];
}
