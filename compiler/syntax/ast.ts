/**
 * The syntax tree, as the parser builds it. Every node has a span. Data only.
 *
 *   Module      ::= Import* Declaration*
 *   Declaration ::= fn | struct | const
 *   Expression  ::= see the union below; `error` stands where the parser recovered
 */
import type { Span } from '../diagnostics/span.ts';

export interface Name {
  readonly text: string;
  readonly span: Span;
}

export interface Module {
  readonly file: string;
  readonly imports: readonly Import[];
  readonly declarations: readonly Declaration[];
  /** What the declarations that could not be read would have defined. */
  readonly unreadable: readonly Name[];
  readonly span: Span;
}

/** `import { a, b as c } from "std/nn";` */
export interface Import {
  readonly names: readonly { readonly name: Name; readonly as: Name | undefined }[];
  readonly from: string;
  readonly fromSpan: Span;
  readonly span: Span;
}

export type Declaration = FunctionDeclaration | StructDeclaration | ConstDeclaration;

export interface FunctionDeclaration {
  readonly kind: 'fn';
  readonly isExported: boolean;
  /** The `///` lines before it, joined by newlines, without the slashes. */
  readonly doc: string;
  readonly name: Name;
  readonly generics: readonly Generic[];
  readonly parameters: readonly Parameter[];
  readonly result: TypeExpression | undefined;
  readonly constraints: readonly Constraint[];
  /** Of an `extern` function: the kernel that computes it on Metal; the body is its reference. */
  readonly kernel?: KernelClause;
  readonly body: Block;
  readonly span: Span;
}

/** `metal "./rows.metal" kernel "row_scale" grid(N, M) threads(64)`, after the signature of an `extern` function. */
export interface KernelClause {
  /** `metal`, `hlsl` or `dxil`. */
  readonly language: Name;
  /** A path beside the module (`./rows.metal`), or the text of the kernel itself. */
  readonly source: string;
  readonly sourceSpan: Span;
  /** The name in the source; undefined for that of the function. */
  readonly entry: Name | undefined;
  /** Threads along x, y and z. */
  readonly grid: readonly DimExpression[];
  readonly gridSpan: Span;
  /** Threads of a threadgroup along x, y and z. */
  readonly threads: readonly DimExpression[];
  readonly threadsSpan: Span;
  readonly span: Span;
}

export interface StructDeclaration {
  readonly kind: 'struct';
  readonly isExported: boolean;
  readonly doc: string;
  readonly name: Name;
  readonly generics: readonly Generic[];
  readonly fields: readonly {
    readonly name: Name;
    readonly type: TypeExpression;
    readonly doc: string;
  }[];
  readonly span: Span;
}

export interface ConstDeclaration {
  readonly kind: 'const';
  readonly isExported: boolean;
  readonly doc: string;
  readonly name: Name;
  readonly type: TypeExpression | undefined;
  readonly value: Expression;
  readonly span: Span;
}

/** `N`, `T: float`, `T: float = f32`, `P: tree`, `...S`. Without a constraint it is a dim. */
export interface Generic {
  readonly name: Name;
  readonly isShape: boolean;
  /** `float`, `number`, `integer`, `any`, `tree`, `int`; undefined for a dim or shape variable. */
  readonly constraint: Name | undefined;
  readonly default: TypeArgument | undefined;
  readonly span: Span;
}

export interface Parameter {
  readonly name: Name;
  readonly type: TypeExpression;
  readonly default: Expression | undefined;
  readonly span: Span;
}

/** `where D % H == 0`, `where M == N`, `where N >= K`; several are separated by commas. */
export interface Constraint {
  readonly left: DimExpression;
  readonly relation: '==' | '>=' | '<=' | '>' | '<' | '!=';
  readonly right: DimExpression;
  readonly span: Span;
}

export type TypeExpression =
  /** `f32`, `T`, `Mlp`, `int`, `Key`, `Linear<64, 128>`; arguments are types or dims. */
  | {
      readonly kind: 'named';
      readonly name: Name;
      readonly arguments: readonly TypeArgument[];
      readonly span: Span;
    }
  /** `f32[B, 64]`, `T[...S, N]`, `Block<D>[L]`: an element type with leading axes. */
  | {
      readonly kind: 'tensor';
      readonly element: TypeExpression;
      readonly dims: readonly DimItem[];
      readonly span: Span;
    }
  | { readonly kind: 'tuple'; readonly items: readonly TypeExpression[]; readonly span: Span }
  /** `[Block<D>; L]` */
  | {
      readonly kind: 'array';
      readonly element: TypeExpression;
      readonly length: DimExpression;
      readonly span: Span;
    }
  /** `fn(f32[N], f32) -> f32` */
  | {
      readonly kind: 'function';
      readonly parameters: readonly TypeExpression[];
      readonly result: TypeExpression;
      readonly span: Span;
    }
  | { readonly kind: 'error'; readonly span: Span };

/** `Linear<64, D/H, f32>`: a plain name may be a dim or a type; the checker decides. */
export type TypeArgument =
  | { readonly kind: 'type'; readonly type: TypeExpression }
  | { readonly kind: 'dim'; readonly dim: DimExpression };

export type DimItem =
  | { readonly kind: 'dim'; readonly dim: DimExpression }
  /** `...S` */
  | { readonly kind: 'shape'; readonly name: Name; readonly span: Span };

export type DimExpression =
  | { readonly kind: 'number'; readonly value: number; readonly span: Span }
  | { readonly kind: 'name'; readonly name: Name; readonly span: Span }
  | {
      readonly kind: 'binary';
      readonly operator: '+' | '-' | '*' | '/' | '%';
      readonly left: DimExpression;
      readonly right: DimExpression;
      readonly span: Span;
    }
  | { readonly kind: 'negate'; readonly operand: DimExpression; readonly span: Span }
  /** `floordiv(N, 2)`, `ceildiv(N, 2)`, `min(M, N)`, `max(M, N)` */
  | {
      readonly kind: 'call';
      readonly name: Name;
      readonly arguments: readonly DimExpression[];
      readonly span: Span;
    }
  | { readonly kind: 'error'; readonly span: Span };

export interface Block {
  readonly statements: readonly Statement[];
  /** The last expression without semicolon: the value of the block. */
  readonly result: Expression | undefined;
  readonly span: Span;
}

export type Statement =
  | {
      readonly kind: 'let';
      /** `var (a, b) = …`: the names may be assigned to. A plain name has a statement of its own, below. */
      readonly isVar: boolean;
      readonly pattern: Pattern;
      readonly type: TypeExpression | undefined;
      readonly value: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'var';
      readonly name: Name;
      readonly type: TypeExpression | undefined;
      readonly value: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'assign';
      readonly name: Name;
      readonly operator: '=' | '+=' | '-=' | '*=' | '/=';
      readonly value: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'for';
      readonly pattern: Pattern;
      readonly iterable: Expression;
      readonly condition: Expression | undefined;
      readonly body: Block;
      readonly span: Span;
    }
  | {
      readonly kind: 'while';
      readonly condition: Expression;
      readonly body: Block;
      readonly span: Span;
    }
  /** An expression followed by `;`, or an `if` used as a statement. */
  | { readonly kind: 'expression'; readonly expression: Expression; readonly span: Span };

export type Pattern =
  | { readonly kind: 'name'; readonly name: Name; readonly span: Span }
  | { readonly kind: 'wildcard'; readonly span: Span }
  | { readonly kind: 'tuple'; readonly items: readonly Pattern[]; readonly span: Span };

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '@'
  | '**'
  | '<<'
  | '>>'
  | '&'
  | '^'
  | '|'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '&&'
  | '||';

export type Expression =
  /** `text` is the literal as written, without underscores; isFloat when it has a point or an exponent. */
  | {
      readonly kind: 'number';
      readonly text: string;
      readonly isFloat: boolean;
      readonly span: Span;
    }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly span: Span }
  | { readonly kind: 'string'; readonly value: string; readonly span: Span }
  | { readonly kind: 'name'; readonly name: Name; readonly span: Span }
  | {
      readonly kind: 'unary';
      readonly operator: '-' | '!';
      readonly operand: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly operatorSpan: Span;
      /** `and`, `or`: reported already, and perhaps meant by element. */
      readonly isForeign?: boolean;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  /** `left |> right`: kept apart from calls so that the formatter prints what was written. */
  | {
      readonly kind: 'pipe';
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  /** `f(x, axis = 0)`, `f<4>(x)`; a method call is a call whose callee is a `field`. */
  | {
      readonly kind: 'call';
      readonly callee: Expression;
      readonly typeArguments: readonly TypeArgument[];
      readonly arguments: readonly Argument[];
      readonly span: Span;
    }
  | {
      readonly kind: 'field';
      readonly object: Expression;
      readonly name: Name;
      readonly span: Span;
    }
  /** `t.0` */
  | {
      readonly kind: 'tuple-field';
      readonly object: Expression;
      readonly index: number;
      readonly span: Span;
    }
  | {
      readonly kind: 'index';
      readonly object: Expression;
      readonly items: readonly IndexItem[];
      readonly span: Span;
    }
  | {
      readonly kind: 'lambda';
      readonly parameters: readonly LambdaParameter[];
      readonly body: Expression;
      readonly span: Span;
    }
  | { readonly kind: 'tuple'; readonly items: readonly Expression[]; readonly span: Span }
  | { readonly kind: 'array'; readonly items: readonly Expression[]; readonly span: Span }
  /** `Name { w: v, b }`, `Name { ..m, w: v }`; a shorthand field has a `name` expression as its value. */
  | {
      readonly kind: 'struct';
      readonly name: Name;
      readonly typeArguments: readonly TypeArgument[];
      readonly base: Expression | undefined;
      readonly fields: readonly {
        readonly name: Name;
        readonly value: Expression;
        readonly isShorthand: boolean;
      }[];
      readonly span: Span;
    }
  | { readonly kind: 'block'; readonly block: Block; readonly span: Span }
  /** `else if` is an `otherwise` block whose result is another `if`. */
  | {
      readonly kind: 'if';
      readonly condition: Expression;
      readonly then: Block;
      readonly otherwise: Block | undefined;
      readonly span: Span;
    }
  /** `a..b`, only as the iterable of `for`. */
  | {
      readonly kind: 'range';
      readonly from: Expression;
      readonly to: Expression;
      readonly span: Span;
    }
  | { readonly kind: 'error'; readonly span: Span };

export interface LambdaParameter {
  readonly pattern: Pattern;
  readonly type: TypeExpression | undefined;
}

export interface Argument {
  /** Present for `name = value`. */
  readonly name: Name | undefined;
  readonly value: Expression;
  readonly span: Span;
}

export type IndexItem =
  | { readonly kind: 'expression'; readonly value: Expression; readonly span: Span }
  /** `a:b:c`, all optional */
  | {
      readonly kind: 'slice';
      readonly start: Expression | undefined;
      readonly stop: Expression | undefined;
      readonly step: Expression | undefined;
      readonly span: Span;
    }
  | { readonly kind: 'ellipsis'; readonly span: Span }
  | { readonly kind: 'newaxis'; readonly span: Span };
