import ts from "typescript";

/** One comment of a source file, without its markers. Its line breaks stay, so that a line can be named. */
interface Comment {
  text: string;
  /** The line of the file on which the comment begins; the first line is 1. */
  line: number;
}

/** Reads the comments of a source file. The compiler finds them, so a text that looks like a comment is none. */
export function commentsOf(source: string, fileName = "source.ts"): Comment[] {
  const tree = ts.createSourceFile(fileName, source, ts.ScriptTarget.Latest, true);
  const ranges = new Map<number, ts.CommentRange>();
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(tree);
    for (const child of children) visit(child);
    if (children.length > 0) return;
    const around = [
      ...(ts.getLeadingCommentRanges(source, node.pos) ?? []),
      ...(ts.getTrailingCommentRanges(source, node.end) ?? []),
    ];
    // Between the parts of a template there is text, not comments.
    if (isInTemplate(node)) return;
    for (const range of around) ranges.set(range.pos, range);
  };
  visit(tree);
  return [...ranges.values()]
    .toSorted((one, other) => one.pos - other.pos)
    .map(({ pos, end }) => ({
      text: withoutMarkers(source.slice(pos, end)),
      line: tree.getLineAndCharacterOfPosition(pos).line + 1,
    }));
}

function isInTemplate({ kind }: ts.Node): boolean {
  return kind === ts.SyntaxKind.TemplateHead || kind === ts.SyntaxKind.TemplateMiddle;
}

function withoutMarkers(comment: string): string {
  return comment
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*(?:\/\*+|\*|\/\/+)/, ""))
    .join("\n");
}
