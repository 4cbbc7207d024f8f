/** Where the product raises each diagnostic code, and with which message: read from its source with ts-morph. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type CallExpression,
  type Expression,
  type NewExpression,
  Node,
  Project,
  type SourceFile,
} from 'ts-morph';

/** One place that raises a code. */
export interface Site {
  /** `MLX2003`. */
  readonly code: string;
  /** From the root of the repository. */
  readonly file: string;
  /** The function around it; empty at the top of a file. */
  readonly owner: string;
  /** What it may say, `…` for what depends on the program; empty when the message is made elsewhere. */
  readonly messages: readonly string[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** All places that raise a code, by file and line. */
export function collectSites(): readonly Site[] {
  const project = new Project({ useInMemoryFileSystem: false, skipFileDependencyResolution: true });
  project.addSourceFilesAtPaths([
    `${root}index.ts`,
    `${root}{compiler,runtime}/**/*.ts`,
    `!${root}**/*.test.ts`,
  ]);
  return project
    .getSourceFiles()
    .sort((a, b) => (a.getFilePath() < b.getFilePath() ? -1 : 1))
    .flatMap(sitesOf);
}

function sitesOf(file: SourceFile): readonly Site[] {
  const sites: Site[] = [];
  file.forEachDescendant((node) => {
    const code = codeOf(node);
    if (code === undefined) return;
    sites.push({
      code,
      file: relative(root, file.getFilePath()),
      owner: ownerOf(node),
      messages: messagesAt(node),
    });
  });
  return sites;
}

/** `'MLX2003'`, or the 1001 of `error(1001, ...)` as the syntax problems write it. */
function codeOf(node: Node): string | undefined {
  if (Node.isStringLiteral(node)) {
    return /^MLX\d{4}$/.test(node.getLiteralText()) ? node.getLiteralText() : undefined;
  }
  if (!Node.isNumericLiteral(node) || !/^1\d{3}$/.test(node.getText())) return undefined;
  const call = node.getParent();
  const isFirst = Node.isCallExpression(call) && call.getArguments()[0] === node;
  return isFirst && call.getExpression().getText() === 'error' ? `MLX${node.getText()}` : undefined;
}

function ownerOf(node: Node): string {
  for (const ancestor of node.getAncestors()) {
    if (Node.isFunctionDeclaration(ancestor) || Node.isMethodDeclaration(ancestor)) {
      return ancestor.getName() ?? '';
    }
  }
  return '';
}

/** The message stands beside the code: a property of the same object, or an argument of the same call. */
function messagesAt(code: Node): readonly string[] {
  const parent = code.getParent();
  if (Node.isPropertyAssignment(parent)) {
    const object = parent.getParent();
    const message = Node.isObjectLiteralExpression(object)
      ? object.getProperty('message')
      : undefined;
    if (Node.isPropertyAssignment(message)) return patterns(message.getInitializer());
    if (Node.isShorthandPropertyAssignment(message)) return patterns(message.getNameNode());
  }
  if (Node.isCallExpression(parent) || Node.isNewExpression(parent)) {
    return patterns(messageArgument(parent));
  }
  return [];
}

function messageArgument(call: CallExpression | NewExpression): Node | undefined {
  const place = call.getExpression().getText();
  // these two take a span or a file before the message
  return call.getArguments()[place === 'error' || place === 'FileProblem' ? 2 : 1];
}

function patterns(node: Node | undefined): readonly string[] {
  const found = node === undefined ? [] : alternatives(node);
  return [...new Set(found)].filter((text) => text.replace(/[…\s]/g, '') !== '');
}

function alternatives(node: Node): readonly string[] {
  if (Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node)) {
    return [node.getLiteralText()];
  }
  if (Node.isTemplateExpression(node)) {
    const rest = node.getTemplateSpans().map((span) => `…${span.getLiteral().getLiteralText()}`);
    return [node.getHead().getLiteralText() + rest.join('')];
  }
  if (Node.isConditionalExpression(node)) {
    return [...alternatives(node.getWhenTrue()), ...alternatives(node.getWhenFalse())];
  }
  if (Node.isParenthesizedExpression(node)) return alternatives(node.getExpression());
  if (Node.isIdentifier(node)) {
    const value = localValue(node, node.getText());
    return value === undefined ? [] : alternatives(value);
  }
  return [];
}

/** What `const name = ...` above in the same function says. */
function localValue(node: Node, name: string): Expression | undefined {
  for (const ancestor of node.getAncestors()) {
    if (!Node.isBlock(ancestor)) continue;
    const value = ancestor.getVariableDeclaration(name)?.getInitializer();
    if (value !== undefined) return value;
  }
  return undefined;
}
