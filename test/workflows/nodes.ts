/** A value of a YAML document; nothing is taken for granted about its shape. */
export type Node = unknown;

export function record(node: Node): Record<string, Node> {
  return typeof node === "object" && node !== null && !Array.isArray(node) ? { ...node } : {};
}

export function list(node: Node): Node[] {
  return Array.isArray(node) ? (node as Node[]) : [];
}

export function get(node: Node, key: string): Node {
  return record(node)[key];
}

export function textOf(node: Node, key: string): string {
  const value = get(node, key);
  return typeof value === "string" ? value : "";
}

export const uses = (step: Node): string => textOf(step, "uses");
export const command = (step: Node): string => textOf(step, "run");

export interface Leaf {
  path: string;
  value: string;
}

/** Every text and number below a node, with the path to it. A condition is an expression without its braces. */
export function leaves(node: Node, path = ""): Leaf[] {
  const below = Array.isArray(node) ? [...node.entries()] : Object.entries(record(node));
  if (below.length > 0)
    return below.flatMap(([key, value]) =>
      leaves(value, path === "" ? String(key) : `${path}.${key}`),
    );
  const isPlain = typeof node === "string" || typeof node === "number" || typeof node === "boolean";
  const value = isPlain ? String(node) : "";
  const isCondition = path.endsWith(".if") && !value.includes("${{");
  return [{ path, value: isCondition ? `\${{ ${value} }}` : value }];
}

/** The expressions in a text, without their braces, as one text. */
export function expressionsIn(value: string): string {
  return [...value.matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, inner = ""]) => inner).join(" ");
}

export function mentions(node: Node, context: RegExp): boolean {
  return leaves(node).some(({ value }) => context.test(expressionsIn(value)));
}

export function isSame(a: Node, b: Node): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
