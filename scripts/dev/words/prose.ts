/** Pronouns that leave the reader to find the noun. */
const FREE_PRONOUN = /\b(?:what|who|whom|whatever|whoever)\b/gi;

interface FreePronoun {
  word: string;
  /** Counted from the first line of the text, which is 0. */
  line: number;
}

/** Finds each free pronoun of a text. Names in backticks are no prose. */
export function freePronouns(text: string): FreePronoun[] {
  return withoutCode(text)
    .split("\n")
    .flatMap((content, line) =>
      Array.from(content.matchAll(FREE_PRONOUN), ([word]) => ({ word, line })),
    );
}

export function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}

const sentences = new Intl.Segmenter("en", { granularity: "sentence" });

/** The sentences of a Markdown page. Code blocks, tables, headings, pictures and addresses of links are left out. */
export function sentencesOf(page: string): string[] {
  return paragraphsOf(page).flatMap((paragraph) =>
    Array.from(sentences.segment(paragraph), ({ segment }) => segment.trim()).filter(
      (sentence) => countWords(sentence) > 0,
    ),
  );
}

/** An item of a list is a paragraph, and so is each line of an introduction to code. */
function paragraphsOf(page: string): string[] {
  const paragraphs: string[] = [];
  let lines: string[] = [];
  let fence: string | undefined;
  const end = (): void => {
    if (lines.length > 0) paragraphs.push(withoutMarkup(withoutCode(lines.join(" "))));
    lines = [];
  };
  for (const line of page.split("\n")) {
    const [marker] = /^\s*(?:```+|~~~+)/.exec(line) ?? [];
    if (marker !== undefined) {
      end();
      fence = fence === undefined ? marker.trim() : marker.trim() === fence ? undefined : fence;
    } else if (fence === undefined) {
      const isNoProse = /^\s*(?:$|\||#{1,6} |<|---|\[[^\]]*\]:)/.test(line);
      const item = /^\s*(?:[-*+]|\d+\.) +/.exec(line);
      if (isNoProse || item) end();
      if (!isNoProse)
        lines.push(
          line
            .slice(item?.[0].length ?? 0)
            .replace(/^\s*> ?/, "")
            .trim(),
        );
    }
  }
  end();
  return paragraphs;
}

/** A name in backticks counts as one word. The capital lets a sentence begin with it; its own dots end none. */
function withoutCode(text: string): string {
  return text.replace(/`[^`]*`/g, (code) => "Code" + "\n".repeat(code.split("\n").length - 1));
}

function withoutMarkup(text: string): string {
  return text
    .replace(/!\[[^[\]]*\]\([^()]*\)/g, "")
    .replace(/\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replace(/https?:\/\/\S+/g, "address")
    .replace(/\*\*|__/g, "");
}
