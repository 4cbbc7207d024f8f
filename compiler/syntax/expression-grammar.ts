/**
 * The grammar of expressions.
 *
 *   Expression ::= Unary (Infix Unary)*                       shaped by the table in operators.ts
 *   Unary      ::= ('-' | '!')* Postfix ('**' Unary)?
 *   Postfix    ::= Primary (TypeArguments? '(' Argument,* ')' | '[' IndexItem,* ']' | '.' Name | '.' Number)*
 *   Primary    ::= literal | Name | Name TypeArguments? '{' Field,* '}' | '(' Expression,* ')' | '[' Expression,* ']'
 *                | Lambda | If | Block
 *   Lambda     ::= '|' (Pattern (':' Type)?),* '|' Expression
 *   If         ::= 'if' Expression Block ('else' 'if' Expression Block)* ('else' Block)?
 */
import type { IToken, TokenType } from 'chevrotain';
import {
  chainedComparison,
  fieldColon,
  malformedNumber,
  structInCondition,
} from '../diagnostics/problems/syntax.ts';
import { joinSpans } from '../diagnostics/span.ts';
import type {
  Argument,
  Block,
  Expression,
  IndexItem,
  LambdaParameter,
  TypeArgument,
  TypeExpression,
} from './ast.ts';
import type { Rule } from './base-parser.ts';
import { foreignOperator } from './foreign-tokens.ts';
import { foldOperators, type Infix, type InfixOperator } from './operators.ts';
import { readString } from './read-string.ts';
import * as T from './tokens.ts';
import { endOf, isAdjacent } from './tokens.ts';
import { TypeParser } from './type-grammar.ts';

/** How far `name<` looks ahead for its `>` before it is a comparison. */
const typeArgumentLookahead = 128;

const infixTokens: readonly TokenType[] = [
  T.At,
  T.Star,
  T.Slash,
  T.Percent,
  T.Plus,
  T.Minus,
  T.ShiftLeft,
  T.And,
  T.Xor,
  T.Or,
  T.EqualEqual,
  T.NotEqual,
  T.Less,
  T.LessEqual,
  T.GreaterEqual,
  T.AndAnd,
  T.OrOr,
  T.Pipe,
];

/** Infix tokens that no statement starts with: after an `if` statement they go on with its value. */
const onlyInfix: ReadonlySet<TokenType> = new Set<TokenType>(
  [...infixTokens, T.Greater].filter((t) => t !== T.Minus && t !== T.Or && t !== T.OrOr),
);

/** What may stand between the `<` and `>` of type arguments. */
const inTypeArguments: ReadonlySet<TokenType> = new Set<TokenType>([
  T.Identifier,
  T.NumberLiteral,
  T.Comma,
  T.Less,
  T.Greater,
  T.LeftParen,
  T.RightParen,
  T.LeftBracket,
  T.RightBracket,
  T.Ellipsis,
  T.Semicolon,
  T.Plus,
  T.Minus,
  T.Star,
  T.Slash,
  T.Percent,
  T.Arrow,
  T.Fn,
]);

export abstract class ExpressionParser extends TypeParser {
  protected abstract readonly block: Rule<Block>;
  /** False in the condition of `if`, `for`, `while`, where `{` opens the block. */
  protected allowsStruct = true;

  readonly expression: Rule<Expression> = this.RULE('expression', () => {
    const first = this.SUBRULE(this.unary);
    return this.SUBRULE(this.infixRest, { ARGS: [first] });
  });

  /** The operators and operands after the first operand. */
  protected readonly infixRest: Rule<Expression, [Expression]> = this.RULE(
    'infixRest',
    (first: Expression) => {
      let operands: Expression[] | undefined;
      const operators: Infix[] = [];
      this.MANY(() => {
        const operator = this.SUBRULE(this.infix);
        const operand = this.SUBRULE(this.unary);
        operands ??= [first];
        operators.push(operator);
        operands.push(operand);
      });
      return this.ACTION<Expression>(() => {
        if (operands === undefined) return first;
        let isChain = false;
        const value = foldOperators(operands, operators, (second, before) => {
          this.report(chainedComparison(second.span, before.span));
          isChain = true;
        });
        return isChain ? { kind: 'error', span: value.span } : value;
      });
    },
  );

  private readonly infix: Rule<Infix> = this.RULE('infix', () => {
    const token = this.OR([
      ...infixTokens.map((type) => ({ ALT: () => this.CONSUME(type) })),
      { ALT: () => this.SUBRULE(this.greater) },
    ]);
    return this.ACTION<Infix>(() => ({
      operator: token.image as InfixOperator,
      span: this.spanOf(token),
      isForeign: token.payload === foreignOperator,
    }));
  });

  /** `>` or, of two side by side, `>>`. */
  private readonly greater: Rule<IToken> = this.RULE('greater', () => {
    const first = this.CONSUME(T.Greater);
    let isShift = false;
    this.OPTION({
      GATE: () => isAdjacent(first, this.LA(1)),
      DEF: () => {
        this.CONSUME1(T.Greater);
        isShift = true;
      },
    });
    return this.ACTION(() => (isShift ? { ...first, image: '>>' } : first));
  });

  /** True where an `if` statement's value goes on as the left side of an operator or of `.`. */
  protected goesOn(): boolean {
    return onlyInfix.has(this.LA(1).tokenType);
  }

  private readonly unary: Rule<Expression> = this.RULE('unary', () => {
    const signs: IToken[] = [];
    this.MANY(() => {
      const sign = this.OR([
        { ALT: () => this.CONSUME(T.Minus) },
        { ALT: () => this.CONSUME(T.Not) },
      ]);
      signs.push(sign);
    });
    let value = this.SUBRULE(this.postfix);
    this.OPTION(() => {
      const operator = this.CONSUME(T.StarStar);
      const exponent = this.SUBRULE(this.unary);
      this.ACTION(() => {
        value = {
          kind: 'binary',
          operator: '**',
          operatorSpan: this.spanOf(operator),
          left: value,
          right: exponent,
          span: joinSpans(value.span, exponent.span),
        };
      });
    });
    return this.ACTION(() => {
      for (let i = signs.length - 1; i >= 0; i--) {
        const sign = signs[i]!;
        const span = joinSpans(this.spanOf(sign), value.span);
        const operator = sign.tokenType === T.Not ? '!' : '-';
        value = { kind: 'unary', operator, operand: value, span };
      }
      return value;
    });
  });

  // --- Postfix --------------------------------------------------------------------------------------------

  private readonly postfix: Rule<Expression> = this.RULE('postfix', () => {
    const start = this.here();
    let value = this.SUBRULE(this.primary);
    this.MANY({
      GATE: () => !this.isNext(T.Less) || this.isTypeArgumentsNext(1, false),
      DEF: () => {
        value = this.OR<Expression>([
          { ALT: () => this.SUBRULE(this.callSuffix, { ARGS: [value, start] }) },
          { ALT: () => this.SUBRULE(this.indexSuffix, { ARGS: [value, start] }) },
          { ALT: () => this.SUBRULE(this.fieldSuffix, { ARGS: [value, start] }) },
        ]);
      },
    });
    return value;
  });

  private readonly callSuffix: Rule<Expression, [Expression, number]> = this.RULE(
    'callSuffix',
    (callee: Expression, start: number) => {
      let typeArguments: readonly TypeArgument[] = [];
      this.OPTION(() => {
        typeArguments = this.SUBRULE(this.typeArguments);
      });
      const list: Argument[] = [];
      const open = this.CONSUME(T.LeftParen);
      const allowed = this.allowsStruct;
      this.allowsStruct = true;
      this.listUntil(T.RightParen, open, 'an argument', () => {
        list.push(this.SUBRULE(this.argument));
      });
      this.allowsStruct = allowed;
      return this.ACTION<Expression>(() => ({
        kind: 'call',
        callee,
        typeArguments,
        arguments: list,
        span: this.spanFrom(start),
      }));
    },
  );

  private readonly argument: Rule<Argument> = this.RULE('argument', () => {
    const start = this.here();
    let name: IToken | undefined;
    this.OPTION({
      GATE: () => this.isNext(T.Equal, 2),
      DEF: () => {
        name = this.CONSUME(T.Identifier);
        this.CONSUME(T.Equal);
      },
    });
    const value = this.SUBRULE(this.expression);
    return this.ACTION<Argument>(() => ({
      name: name === undefined ? undefined : this.nameOf(name),
      value,
      span: this.spanFrom(start),
    }));
  });

  private readonly indexSuffix: Rule<Expression, [Expression, number]> = this.RULE(
    'indexSuffix',
    (object: Expression, start: number) => {
      const items: IndexItem[] = [];
      const open = this.CONSUME(T.LeftBracket);
      const allowed = this.allowsStruct;
      this.allowsStruct = true;
      this.listUntil(T.RightBracket, open, 'an index', () => {
        items.push(this.SUBRULE(this.indexItem));
      });
      this.allowsStruct = allowed;
      return this.ACTION<Expression>(() => ({
        kind: 'index',
        object,
        items,
        span: this.spanFrom(start),
      }));
    },
  );

  private readonly indexItem: Rule<IndexItem> = this.RULE('indexItem', () => {
    const start = this.here();
    return this.OR<IndexItem>({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(T.Ellipsis);
            return this.ACTION<IndexItem>(() => ({ kind: 'ellipsis', span: this.spanFrom(start) }));
          },
        },
        { ALT: () => this.SUBRULE(this.slice, { ARGS: [undefined, start] }) },
        {
          ALT: () => {
            const value = this.SUBRULE(this.expression);
            let item: IndexItem | undefined;
            this.OPTION(() => {
              item = this.SUBRULE1(this.slice, { ARGS: [value, start] });
            });
            return this.ACTION<IndexItem>(() => {
              if (item !== undefined) return item;
              const { span } = value;
              const isNewaxis = value.kind === 'name' && value.name.text === 'newaxis';
              return isNewaxis ? { kind: 'newaxis', span } : { kind: 'expression', value, span };
            });
          },
        },
      ],
      ERR_MSG: 'an index',
    });
  });

  /** `:stop:step` after an optional start. */
  private readonly slice: Rule<IndexItem, [Expression | undefined, number]> = this.RULE(
    'slice',
    (first: Expression | undefined, start: number) => {
      let stop: Expression | undefined;
      let step: Expression | undefined;
      this.CONSUME(T.Colon);
      this.OPTION(() => {
        stop = this.SUBRULE(this.expression);
      });
      this.OPTION1(() => {
        this.CONSUME1(T.Colon);
        this.OPTION2(() => {
          step = this.SUBRULE1(this.expression);
        });
      });
      return this.ACTION<IndexItem>(() => ({
        kind: 'slice',
        start: first,
        stop,
        step,
        span: this.spanFrom(start),
      }));
    },
  );

  private readonly fieldSuffix: Rule<Expression, [Expression, number]> = this.RULE(
    'fieldSuffix',
    (object: Expression, start: number) => {
      this.CONSUME(T.Dot);
      return this.OR<Expression>({
        DEF: [
          {
            ALT: () => {
              const name = this.CONSUME(T.Identifier);
              return this.ACTION<Expression>(() => ({
                kind: 'field',
                object,
                name: this.nameOf(name),
                span: this.spanFrom(start),
              }));
            },
          },
          {
            ALT: () => {
              const token = this.CONSUME(T.NumberLiteral);
              return this.ACTION<Expression>(() => this.tupleFields(object, token, start));
            },
          },
        ],
        ERR_MSG: 'a field name',
      });
    },
  );

  /** `t.0`, and `t.0.1`, whose `0.1` is one token. */
  private tupleFields(object: Expression, token: IToken, start: number): Expression {
    if (object.kind === 'number') {
      const span = this.spanBetween(start, endOf(token));
      this.report(malformedNumber(span, this.source.text.slice(span.start, span.end)));
      return { kind: 'error', span };
    }
    if (!/^\d+(?:\.\d+)*$/.test(token.image)) {
      this.report(malformedNumber(this.spanOf(token), token.image));
    }
    let value = object;
    let end = token.startOffset;
    for (const part of token.image.split('.')) {
      end += part.length;
      const index = Number.parseInt(part, 10) || 0;
      const span = this.spanBetween(start, end);
      value = { kind: 'tuple-field', object: value, index, span };
      end += 1;
    }
    return value;
  }

  /**
   * Do type arguments stand at `LA(distance)`: `<`, what they may hold, `>` and then `(`, or `{` of a struct?
   * With a comma and a blank before `<`, as in `f(a < b, c > (d))`, it is two comparisons.
   */
  private isTypeArgumentsNext(distance: number, isStruct: boolean): boolean {
    let depth = 0;
    let hasComma = false;
    for (let i = distance; i < distance + typeArgumentLookahead; i++) {
      const { tokenType } = this.LA(i);
      if (!inTypeArguments.has(tokenType)) return false;
      if (tokenType === T.Comma) hasComma = true;
      else if (tokenType === T.Less) depth += 1;
      else if (tokenType === T.Greater) depth -= 1;
      if (depth > 0) continue;
      if (!this.isNext(isStruct ? T.LeftBrace : T.LeftParen, i + 1)) return false;
      return !hasComma || isAdjacent(this.LA(distance - 1), this.LA(distance));
    }
    return false;
  }

  // --- Primary --------------------------------------------------------------------------------------------

  private readonly primary: Rule<Expression> = this.RULE('primary', () => {
    return this.OR<Expression>({
      DEF: [
        {
          GATE: () => this.isStructNext(),
          ALT: () => this.SUBRULE(this.structLiteral),
        },
        {
          ALT: () => {
            const token = this.CONSUME(T.Identifier);
            return this.ACTION<Expression>(() => {
              const name = this.nameOf(token);
              return { kind: 'name', name, span: name.span };
            });
          },
        },
        { ALT: () => this.SUBRULE(this.literal) },
        { ALT: () => this.SUBRULE(this.parentheses) },
        { ALT: () => this.SUBRULE(this.array) },
        { ALT: () => this.SUBRULE(this.lambda) },
        { ALT: () => this.SUBRULE(this.ifExpression) },
        {
          GATE: () => this.allowsStruct,
          ALT: () => {
            const block = this.SUBRULE(this.block);
            return this.ACTION<Expression>(() => ({ kind: 'block', block, span: block.span }));
          },
        },
      ],
      ERR_MSG: 'an expression',
      IGNORE_AMBIGUITIES: true,
    });
  });

  private isStructNext(): boolean {
    if (!this.isNext(T.Identifier)) return false;
    // no block starts with `name:`, so that is a struct value, said to need parentheses
    const isField = this.isNext(T.Identifier, 3) && this.isNext(T.Colon, 4);
    if (!this.allowsStruct) return this.isNext(T.LeftBrace, 2) && isField;
    if (this.isNext(T.LeftBrace, 2)) return true;
    return this.isNext(T.Less, 2) && this.isTypeArgumentsNext(2, true);
  }

  private readonly literal: Rule<Expression> = this.RULE('literal', () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(T.NumberLiteral) },
      { ALT: () => this.CONSUME(T.StringLiteral) },
      { ALT: () => this.CONSUME(T.True) },
      { ALT: () => this.CONSUME(T.False) },
    ]);
    return this.ACTION<Expression>(() => {
      const span = this.spanOf(token);
      if (token.tokenType === T.NumberLiteral) {
        const text = token.image.replaceAll('_', '');
        return { kind: 'number', text, isFloat: /^[\d.]*[.eE]/.test(text), span };
      }
      if (token.tokenType === T.StringLiteral) {
        let isSound = true;
        const value = readString(token, this.source.name, (problem) => {
          this.report(problem);
          isSound &&= !token.image.startsWith('"');
        });
        return isSound ? { kind: 'string', value, span } : { kind: 'error', span };
      }
      return { kind: 'boolean', value: token.tokenType === T.True, span };
    });
  });

  private readonly parentheses: Rule<Expression> = this.RULE('parentheses', () => {
    const start = this.here();
    const items: Expression[] = [];
    const open = this.CONSUME(T.LeftParen);
    const allowed = this.allowsStruct;
    this.allowsStruct = true;
    const hasComma = this.listUntil(T.RightParen, open, 'an expression', () => {
      items.push(this.SUBRULE(this.expression));
    });
    this.allowsStruct = allowed;
    return this.ACTION<Expression>(() => {
      const span = this.spanFrom(start);
      const only = items.length === 1 && !hasComma ? items[0] : undefined;
      return only === undefined ? { kind: 'tuple', items, span } : { ...only, span };
    });
  });

  private readonly array: Rule<Expression> = this.RULE('array', () => {
    const start = this.here();
    const items: Expression[] = [];
    const open = this.CONSUME(T.LeftBracket);
    const allowed = this.allowsStruct;
    this.allowsStruct = true;
    this.listUntil(T.RightBracket, open, 'an expression', () => {
      items.push(this.SUBRULE(this.expression));
    });
    this.allowsStruct = allowed;
    return this.ACTION<Expression>(() => ({ kind: 'array', items, span: this.spanFrom(start) }));
  });

  private readonly structLiteral: Rule<Expression> = this.RULE('structLiteral', () => {
    const start = this.here();
    const name = this.CONSUME(T.Identifier);
    let typeArguments: readonly TypeArgument[] = [];
    this.OPTION(() => {
      typeArguments = this.SUBRULE(this.typeArguments);
    });
    const open = this.CONSUME(T.LeftBrace);
    const allowed = this.allowsStruct;
    this.ACTION(() => {
      if (!allowed) this.report(structInCondition(this.spanBetween(start, endOf(name))));
      this.allowsStruct = true;
    });
    let base: Expression | undefined;
    const fields: Extract<Expression, { kind: 'struct' }>['fields'][number][] = [];
    this.listUntil(T.RightBrace, open, 'a field', () => {
      this.OR([
        {
          ALT: () => {
            this.CONSUME(T.DotDot);
            base = this.SUBRULE(this.expression);
          },
        },
        {
          ALT: () => {
            const field = this.CONSUME1(T.Identifier);
            let value: Expression | undefined;
            this.OPTION1(() => {
              this.SUBRULE(this.fieldColon);
              value = this.SUBRULE1(this.expression);
            });
            this.ACTION(() => {
              const fieldName = this.nameOf(field);
              fields.push({
                name: fieldName,
                value: value ?? { kind: 'name', name: fieldName, span: fieldName.span },
                isShorthand: value === undefined,
              });
            });
          },
        },
      ]);
    });
    return this.ACTION<Expression>(() => {
      this.allowsStruct = allowed;
      return {
        kind: 'struct',
        name: this.nameOf(name),
        typeArguments,
        base,
        fields,
        span: this.spanFrom(start),
      };
    });
  });

  /** The `:` of a field; `=` is reported and taken for it. */
  protected readonly fieldColon: Rule<void> = this.RULE('fieldColon', () => {
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(T.Colon) },
        {
          ALT: () => {
            const equal = this.CONSUME(T.Equal);
            this.ACTION(() => this.reportFieldColon(equal));
          },
        },
      ],
      ERR_MSG: '`:`',
    });
  });

  private lastFieldColon: IToken | undefined;

  /** Once for the fields between two braces. */
  private reportFieldColon(equal: IToken): void {
    const last = this.lastFieldColon;
    const from = last !== undefined && last.startOffset < equal.startOffset ? endOf(last) : 0;
    const between = this.source.text.slice(from, equal.startOffset);
    if (from === 0 || /[{}]/.test(between)) this.report(fieldColon(this.spanOf(equal)));
    this.lastFieldColon = equal;
  }

  private readonly lambda: Rule<Expression> = this.RULE('lambda', () => {
    const start = this.here();
    const parameters = this.OR<LambdaParameter[]>([
      {
        ALT: () => {
          this.CONSUME(T.OrOr);
          return [];
        },
      },
      { ALT: () => this.SUBRULE(this.lambdaParameters) },
    ]);
    const body = this.SUBRULE(this.expression);
    return this.ACTION<Expression>(() => ({
      kind: 'lambda',
      parameters,
      body,
      span: this.spanFrom(start),
    }));
  });

  private readonly lambdaParameters: Rule<LambdaParameter[]> = this.RULE('lambdaParameters', () => {
    const parameters: LambdaParameter[] = [];
    const open = this.CONSUME(T.Or);
    this.listUntil(T.Or, open, 'a parameter', () => {
      const pattern = this.SUBRULE(this.pattern);
      let type: TypeExpression | undefined;
      this.OPTION(() => {
        this.CONSUME(T.Colon);
        type = this.SUBRULE(this.type);
      });
      this.ACTION(() => parameters.push({ pattern, type }));
    });
    return parameters;
  });

  /** A condition, a loop's range or iterable: no struct literal and no block stands bare in it. */
  protected readonly header: Rule<Expression> = this.RULE('header', () => {
    const allowed = this.allowsStruct;
    this.allowsStruct = false;
    const value = this.SUBRULE(this.expression);
    this.allowsStruct = allowed;
    return value;
  });

  /** Read in a loop and folded from the end, so that a chain of `else if` does not recurse. */
  readonly ifExpression: Rule<Expression> = this.RULE('ifExpression', () => {
    const arms: { start: number; condition: Expression; body: Block }[] = [];
    let otherwise: Block | undefined;
    const start = this.here();
    this.CONSUME(T.If);
    const condition = this.SUBRULE(this.header);
    const body = this.SUBRULE(this.blockAfterHeader);
    arms.push({ start, condition, body });
    this.MANY({
      GATE: () => this.isNext(T.If, 2),
      DEF: () => {
        this.CONSUME(T.Else);
        const armStart = this.here();
        this.CONSUME1(T.If);
        const armCondition = this.SUBRULE1(this.header);
        const armBody = this.SUBRULE1(this.blockAfterHeader);
        arms.push({ start: armStart, condition: armCondition, body: armBody });
      },
    });
    this.OPTION(() => {
      this.CONSUME1(T.Else);
      otherwise = this.SUBRULE2(this.blockAfterHeader);
    });
    return this.ACTION(() => {
      const end = endOf(this.LA(0));
      for (let i = arms.length - 1; ; i--) {
        const arm = arms[i]!;
        const span = this.spanBetween(arm.start, end);
        const value: Expression = {
          kind: 'if',
          condition: arm.condition,
          then: arm.body,
          otherwise,
          span,
        };
        if (i === 0) return value;
        otherwise = { statements: [], result: value, span };
      }
    });
  });

  /** The block of `if`, `else`, `for` or `while`. */
  protected readonly blockAfterHeader: Rule<Block> = this.RULE('blockAfterHeader', () => {
    this.ACTION(() => {
      if (!this.isNext(T.LeftBrace)) this.failExpecting('`{`');
    });
    const allowed = this.allowsStruct;
    this.allowsStruct = true;
    const block = this.SUBRULE(this.block);
    this.allowsStruct = allowed;
    return block;
  });
}
