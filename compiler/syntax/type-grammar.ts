/**
 * The grammar of types, dims, generics and patterns.
 *
 *   Type     ::= Primary ('[' DimItem,* ']')*
 *   Primary  ::= Name ('<' TypeArgument,* '>')? | '(' Type,* ')' | '[' Type ';' Dim ']' | 'fn' '(' Type,* ')' '->' Type
 *   DimItem  ::= '...' Name | Dim
 *   Dim      ::= sums, products, `-`, calls and parentheses over numbers and names
 *   Generics ::= '<' ('...' Name | Name (':' Name)? ('=' TypeArgument)?),* '>'
 *   Pattern  ::= Name | '_' | '(' Pattern,* ')'
 */
import type { IToken, TokenType } from 'chevrotain';
import { unexpectedToken } from '../diagnostics/problems/syntax.ts';
import { joinSpans } from '../diagnostics/span.ts';
import type {
  DimExpression,
  DimItem,
  Generic,
  Pattern,
  TypeArgument,
  TypeExpression,
} from './ast.ts';
import { BaseParser, type Rule } from './base-parser.ts';
import * as T from './tokens.ts';

type DimOperator = Extract<DimExpression, { kind: 'binary' }>['operator'];

const dimOperators: ReadonlyMap<TokenType, DimOperator> = new Map<TokenType, DimOperator>([
  [T.Plus, '+'],
  [T.Minus, '-'],
  [T.Star, '*'],
  [T.Slash, '/'],
  [T.Percent, '%'],
]);

/** How far a type argument is looked over to tell `(N + 1) * 2` from a tuple type. */
const parenthesisLookahead = 64;

export abstract class TypeParser extends BaseParser {
  readonly type: Rule<TypeExpression> = this.RULE('type', () => {
    const start = this.here();
    let type = this.SUBRULE(this.primaryType);
    this.MANY(() => {
      const dims = this.SUBRULE(this.dimItems);
      this.ACTION(() => {
        type = { kind: 'tensor', element: type, dims, span: this.spanFrom(start) };
      });
    });
    return type;
  });

  private readonly dimItems: Rule<DimItem[]> = this.RULE('dimItems', () => {
    const dims: DimItem[] = [];
    const open = this.CONSUME(T.LeftBracket);
    this.listUntil(T.RightBracket, open, 'a dim', () => {
      dims.push(this.SUBRULE(this.dimItem));
    });
    return dims;
  });

  private readonly dimItem: Rule<DimItem> = this.RULE('dimItem', () => {
    const start = this.here();
    return this.OR<DimItem>([
      {
        ALT: () => {
          this.CONSUME(T.Ellipsis);
          const name = this.CONSUME(T.Identifier);
          return this.ACTION<DimItem>(() => ({
            kind: 'shape',
            name: this.nameOf(name),
            span: this.spanFrom(start),
          }));
        },
      },
      { ALT: () => ({ kind: 'dim', dim: this.SUBRULE(this.dim) }) },
    ]);
  });

  private readonly primaryType: Rule<TypeExpression> = this.RULE('primaryType', () => {
    return this.OR<TypeExpression>({
      DEF: [
        { ALT: () => this.SUBRULE(this.namedType) },
        { ALT: () => this.SUBRULE(this.tupleType) },
        { ALT: () => this.SUBRULE(this.arrayType) },
        { ALT: () => this.SUBRULE(this.functionType) },
      ],
      ERR_MSG: 'a type',
    });
  });

  private readonly namedType: Rule<TypeExpression> = this.RULE('namedType', () => {
    const start = this.here();
    const name = this.CONSUME(T.Identifier);
    let list: readonly TypeArgument[] = [];
    this.OPTION(() => {
      list = this.SUBRULE(this.typeArguments);
    });
    return this.ACTION<TypeExpression>(() => ({
      kind: 'named',
      name: this.nameOf(name),
      arguments: list,
      span: this.spanFrom(start),
    }));
  });

  private readonly tupleType: Rule<TypeExpression> = this.RULE('tupleType', () => {
    const start = this.here();
    const items: TypeExpression[] = [];
    const open = this.CONSUME(T.LeftParen);
    const hasComma = this.listUntil(T.RightParen, open, 'a type', () => {
      items.push(this.SUBRULE(this.type));
    });
    return this.ACTION<TypeExpression>(() => {
      const span = this.spanFrom(start);
      const only = items.length === 1 && !hasComma ? items[0] : undefined;
      return only === undefined ? { kind: 'tuple', items, span } : { ...only, span };
    });
  });

  private readonly arrayType: Rule<TypeExpression> = this.RULE('arrayType', () => {
    const start = this.here();
    const open = this.CONSUME(T.LeftBracket);
    const element = this.SUBRULE(this.type);
    this.CONSUME(T.Semicolon, { ERR_MSG: '`;` and the length of the array' });
    const length = this.SUBRULE(this.dim);
    this.opening = open;
    this.CONSUME(T.RightBracket);
    return this.ACTION<TypeExpression>(() => ({
      kind: 'array',
      element,
      length,
      span: this.spanFrom(start),
    }));
  });

  private readonly functionType: Rule<TypeExpression> = this.RULE('functionType', () => {
    const start = this.here();
    const parameters: TypeExpression[] = [];
    this.CONSUME(T.Fn);
    const open = this.CONSUME(T.LeftParen);
    this.listUntil(T.RightParen, open, 'a type', () => {
      parameters.push(this.SUBRULE(this.type));
    });
    this.CONSUME(T.Arrow);
    const result = this.SUBRULE1(this.type);
    return this.ACTION<TypeExpression>(() => ({
      kind: 'function',
      parameters,
      result,
      span: this.spanFrom(start),
    }));
  });

  readonly typeArguments: Rule<TypeArgument[]> = this.RULE('typeArguments', () => {
    const list: TypeArgument[] = [];
    const open = this.CONSUME(T.Less);
    this.listUntil(T.Greater, open, 'a type or dim', () => {
      list.push(this.SUBRULE(this.typeArgument));
    });
    return list;
  });

  private readonly typeArgument: Rule<TypeArgument> = this.RULE('typeArgument', () => {
    return this.OR<TypeArgument>({
      DEF: [
        {
          GATE: () => this.isDimNext(),
          ALT: () => ({ kind: 'dim', dim: this.SUBRULE(this.dim) }),
        },
        { ALT: () => ({ kind: 'type', type: this.SUBRULE(this.type) }) },
      ],
      ERR_MSG: 'a type or dim',
      IGNORE_AMBIGUITIES: true,
    });
  });

  /** A number or arithmetic; a plain name is read as a type, and the checker decides. */
  private isDimNext(): boolean {
    const { tokenType } = this.LA(1);
    if (tokenType === T.NumberLiteral || tokenType === T.Minus) return true;
    if (tokenType === T.Identifier) {
      return this.isNext(T.LeftParen, 2) || dimOperators.has(this.LA(2).tokenType);
    }
    if (tokenType !== T.LeftParen) return false;
    let depth = 0;
    for (let i = 1; i <= parenthesisLookahead; i++) {
      const type = this.LA(i).tokenType;
      if (type === T.LeftParen) depth += 1;
      else if (type === T.RightParen) depth -= 1;
      else if (type === T.Comma && depth === 1) return false;
      if (depth === 0) return dimOperators.has(this.LA(i + 1).tokenType);
    }
    return false;
  }

  // --- Dims -----------------------------------------------------------------------------------------------

  readonly dim: Rule<DimExpression> = this.RULE('dim', () => {
    let left = this.SUBRULE(this.dimProduct);
    this.MANY(() => {
      const operator = this.OR([
        { ALT: () => this.CONSUME(T.Plus) },
        { ALT: () => this.CONSUME(T.Minus) },
      ]);
      const right = this.SUBRULE1(this.dimProduct);
      this.ACTION(() => {
        left = this.dimBinary(operator, left, right);
      });
    });
    return left;
  });

  private readonly dimProduct: Rule<DimExpression> = this.RULE('dimProduct', () => {
    let left = this.SUBRULE(this.dimFactor);
    this.MANY(() => {
      const operator = this.OR([
        { ALT: () => this.CONSUME(T.Star) },
        { ALT: () => this.CONSUME(T.Slash) },
        { ALT: () => this.CONSUME(T.Percent) },
      ]);
      const right = this.SUBRULE1(this.dimFactor);
      this.ACTION(() => {
        left = this.dimBinary(operator, left, right);
      });
    });
    return left;
  });

  private dimBinary(operator: IToken, left: DimExpression, right: DimExpression): DimExpression {
    return {
      kind: 'binary',
      operator: dimOperators.get(operator.tokenType)!,
      left,
      right,
      span: joinSpans(left.span, right.span),
    };
  }

  private readonly dimFactor: Rule<DimExpression> = this.RULE('dimFactor', () => {
    const minus: IToken[] = [];
    this.MANY(() => {
      minus.push(this.CONSUME(T.Minus));
    });
    let value = this.OR<DimExpression>({
      DEF: [
        { ALT: () => this.SUBRULE(this.dimNumber) },
        { ALT: () => this.SUBRULE(this.dimName) },
        { ALT: () => this.SUBRULE(this.dimParentheses) },
      ],
      ERR_MSG: 'a dim',
    });
    this.ACTION(() => {
      for (const sign of minus.reverse()) {
        const span = joinSpans(this.spanOf(sign), value.span);
        value = { kind: 'negate', operand: value, span };
      }
    });
    return value;
  });

  private readonly dimNumber: Rule<DimExpression> = this.RULE('dimNumber', () => {
    const token = this.CONSUME(T.NumberLiteral);
    return this.ACTION<DimExpression>(() => {
      const value = Number(token.image.replaceAll('_', ''));
      if (!Number.isSafeInteger(value)) {
        const isWhole = /^\d+$/.test(token.image.replaceAll('_', ''));
        const expected = isWhole ? 'a dim below 2^53' : 'an integer';
        this.report(unexpectedToken(this.spanOf(token), expected, `\`${token.image}\``));
      }
      return { kind: 'number', value, span: this.spanOf(token) };
    });
  });

  private readonly dimName: Rule<DimExpression> = this.RULE('dimName', () => {
    const start = this.here();
    const token = this.CONSUME(T.Identifier);
    let list: readonly DimExpression[] | undefined;
    this.OPTION(() => {
      list = this.SUBRULE(this.dimArguments);
    });
    return this.ACTION<DimExpression>(() => {
      const name = this.nameOf(token);
      return list === undefined
        ? { kind: 'name', name, span: name.span }
        : { kind: 'call', name, arguments: list, span: this.spanFrom(start) };
    });
  });

  private readonly dimArguments: Rule<DimExpression[]> = this.RULE('dimArguments', () => {
    const list: DimExpression[] = [];
    const open = this.CONSUME(T.LeftParen);
    this.listUntil(T.RightParen, open, 'a dim', () => {
      list.push(this.SUBRULE(this.dim));
    });
    return list;
  });

  private readonly dimParentheses: Rule<DimExpression> = this.RULE('dimParentheses', () => {
    const start = this.here();
    const open = this.CONSUME(T.LeftParen);
    const inner = this.SUBRULE(this.dim);
    this.opening = open;
    this.CONSUME(T.RightParen);
    return this.ACTION<DimExpression>(() => ({ ...inner, span: this.spanFrom(start) }));
  });

  // --- Generics and patterns ------------------------------------------------------------------------------

  readonly generics: Rule<Generic[]> = this.RULE('generics', () => {
    const list: Generic[] = [];
    const open = this.CONSUME(T.Less);
    this.listUntil(T.Greater, open, 'a generic', () => {
      list.push(this.SUBRULE(this.generic));
    });
    return list;
  });

  private readonly generic: Rule<Generic> = this.RULE('generic', () => {
    const start = this.here();
    let isShape = false;
    this.OPTION(() => {
      this.CONSUME(T.Ellipsis);
      isShape = true;
    });
    const name = this.CONSUME(T.Identifier);
    let constraint: IToken | undefined;
    this.OPTION1(() => {
      this.CONSUME(T.Colon);
      constraint = this.CONSUME1(T.Identifier, { ERR_MSG: '`float`, `number` or another kind' });
    });
    let fallback: TypeArgument | undefined;
    this.OPTION2(() => {
      this.CONSUME(T.Equal);
      fallback = this.SUBRULE(this.typeArgument);
    });
    return this.ACTION<Generic>(() => ({
      name: this.nameOf(name),
      isShape,
      constraint: constraint === undefined ? undefined : this.nameOf(constraint),
      default: fallback,
      span: this.spanFrom(start),
    }));
  });

  readonly pattern: Rule<Pattern> = this.RULE('pattern', () => {
    return this.OR<Pattern>({
      DEF: [
        { ALT: () => this.SUBRULE(this.namePattern) },
        { ALT: () => this.SUBRULE(this.tuplePattern) },
      ],
      ERR_MSG: 'a name',
    });
  });

  private readonly namePattern: Rule<Pattern> = this.RULE('namePattern', () => {
    const token = this.CONSUME(T.Identifier);
    return this.ACTION<Pattern>(() => {
      const span = this.spanOf(token);
      return token.image === '_'
        ? { kind: 'wildcard', span }
        : { kind: 'name', name: this.nameOf(token), span };
    });
  });

  private readonly tuplePattern: Rule<Pattern> = this.RULE('tuplePattern', () => {
    const start = this.here();
    const items: Pattern[] = [];
    const open = this.CONSUME(T.LeftParen);
    const hasComma = this.listUntil(T.RightParen, open, 'a name', () => {
      items.push(this.SUBRULE(this.pattern));
    });
    return this.ACTION<Pattern>(() => {
      const span = this.spanFrom(start);
      const only = items.length === 1 && !hasComma ? items[0] : undefined;
      return only === undefined ? { kind: 'tuple', items, span } : { ...only, span };
    });
  });
}
