/**
 * The grammar of blocks, statements and declarations, and the one parser of the process.
 *
 *   Module      ::= (Import | Declaration)*
 *   Import      ::= 'import' '{' (Name ('as' Name)?),* '}' 'from' String ';'
 *   Declaration ::= 'export'? (Function | Struct | Const)
 *   Function    ::= 'fn' Name Generics? '(' (Name ':' Type ('=' Expression)?),* ')' ('->' Type)? ('where' Constraint,*)? Block
 *                 | 'extern' 'fn' … Kernel Block
 *   Kernel      ::= ('metal' | 'hlsl' | 'dxil') String ('kernel' String)? 'grid' '(' Dim,+ ')' 'threads' '(' Dim,+ ')'
 *   Struct      ::= 'struct' Name Generics? '{' (Name ':' Type),* '}'
 *   Const       ::= 'const' Name (':' Type)? '=' Expression ';'
 *   Block       ::= '{' Statement* Expression? '}'
 */
import type { IToken, TokenType } from 'chevrotain';
import type { DiagnosticSink } from '../diagnostics/diagnostic.ts';
import {
  emptyStatement,
  externWithoutKernel,
  foreignKeyword,
  kernelWithoutExtern,
  nestedDeclaration,
  noJump,
  noMut,
  noReturn,
  resultColon,
  unknownConstruct,
} from '../diagnostics/problems/syntax.ts';
import type {
  Block,
  ConstDeclaration,
  Constraint,
  Declaration,
  DimExpression,
  Expression,
  FunctionDeclaration,
  Generic,
  Import,
  KernelClause,
  Module,
  Name,
  Parameter,
  Statement,
  StructDeclaration,
  TypeExpression,
} from './ast.ts';
import { GiveUp, type Rule, type Source } from './base-parser.ts';
import { foreignDeclarations, unknownStatements } from './explain-failure.ts';
import { ExpressionParser } from './expression-grammar.ts';
import { readString } from './read-string.ts';
import type { Lexed } from './tokens.ts';
import * as T from './tokens.ts';
import { endOf } from './tokens.ts';

type AssignOperator = Extract<Statement, { kind: 'assign' }>['operator'];
type Relation = Constraint['relation'];

const assignTokens: readonly TokenType[] = [
  T.Equal,
  T.PlusEqual,
  T.MinusEqual,
  T.StarEqual,
  T.SlashEqual,
];
const assignTokenSet: ReadonlySet<TokenType> = new Set(assignTokens);
const relationTokens: readonly TokenType[] = [
  T.EqualEqual,
  T.GreaterEqual,
  T.LessEqual,
  T.Greater,
  T.Less,
  T.NotEqual,
];

/** What kernels of `extern` functions are written in. */
const kernelLanguages: ReadonlySet<string> = new Set(['metal', 'hlsl', 'dxil']);

/** What a statement turned out to be: an expression without `;` is the value of its block. */
type StatementOrResult = Statement | { readonly kind: 'result'; readonly value: Expression };

class Parser extends ExpressionParser {
  constructor(skipValidations: boolean) {
    super({ skipValidations });
    this.performSelfAnalysis();
  }

  /** The tree of one source. Throws nothing but our own bugs. */
  parseModule(source: Source, lexed: Lexed, sink: DiagnosticSink): Module {
    this.open(source, lexed, sink);
    this.allowsStruct = true;
    this.imports = [];
    this.declarations = [];
    this.unreadable = [];
    try {
      this.module();
    } catch (problem) {
      if (!(problem instanceof GiveUp)) throw problem;
    } finally {
      this.close();
    }
    const span = { file: source.name, start: 0, end: source.text.length };
    const { imports, declarations, unreadable } = this;
    return { file: source.name, imports, declarations, unreadable, span };
  }

  private imports: Import[] = [];
  private declarations: Declaration[] = [];
  private unreadable: Name[] = [];

  private readonly module: Rule<void> = this.RULE('module', () => {
    if (this.RECORDING_PHASE) {
      this.MANY(() => this.SUBRULE(this.declaration));
      return;
    }
    while (!this.isAtEnd()) {
      const start = this.here();
      try {
        this.SUBRULE(this.declaration);
      } catch (failure) {
        this.allowsStruct = true;
        this.isInBlock = false;
        this.reportFailure(failure, start);
        this.unreadable.push(...this.namesBoundAt(start));
        if (this.here() === start || !this.isAtDeclaration()) this.skipDeclaration();
      }
    }
  });

  private readonly declaration: Rule<void> = this.RULE('declaration', () => {
    const doc = this.docBefore();
    const start = this.here();
    let isExported = false;
    this.ACTION(() => this.checkDeclarationWord());
    this.OPTION(() => {
      this.CONSUME(T.Export);
      isExported = true;
      this.ACTION(() => this.checkDeclarationWord());
    });
    let isExtern = false;
    this.OPTION1({
      GATE: () => this.isExternFunction(),
      DEF: () => {
        this.CONSUME(T.Identifier);
        isExtern = true;
      },
    });
    this.OR({
      DEF: [
        { ALT: () => this.SUBRULE(this.importDeclaration, { ARGS: [start] }) },
        {
          ALT: () =>
            this.SUBRULE(this.functionDeclaration, { ARGS: [start, doc, isExported, isExtern] }),
        },
        { ALT: () => this.SUBRULE(this.structDeclaration, { ARGS: [start, doc, isExported] }) },
        { ALT: () => this.SUBRULE(this.constDeclaration, { ARGS: [start, doc, isExported] }) },
      ],
      ERR_MSG: 'a declaration',
    });
  });

  /** `def f(`, `class A`: another language's word before a name. */
  private checkDeclarationWord(): void {
    if (!this.isNext(T.Identifier)) return;
    const token = this.LA(1);
    const instead = foreignDeclarations.get(token.image);
    if (instead !== undefined) this.fail(foreignKeyword(this.spanOf(token), token.image, instead));
  }

  private readonly importDeclaration: Rule<void, [number]> = this.RULE(
    'importDeclaration',
    (start: number) => {
      const names: Import['names'][number][] = [];
      this.CONSUME(T.Import);
      const open = this.CONSUME(T.LeftBrace);
      this.listUntil(T.RightBrace, open, 'a name', () => {
        const name = this.CONSUME(T.Identifier);
        let as: IToken | undefined;
        this.OPTION(() => {
          this.CONSUME(T.As);
          as = this.CONSUME1(T.Identifier);
        });
        this.ACTION(() => {
          names.push({ name: this.nameOf(name), as: as === undefined ? as : this.nameOf(as) });
        });
      });
      this.ACTION(() => {
        if (!this.isWord('from')) this.failExpecting('`from`');
      });
      this.CONSUME2(T.Identifier);
      const from = this.CONSUME(T.StringLiteral, { ERR_MSG: 'the module as a string' });
      this.ACTION(() => this.expectSemicolon());
      this.OPTION1(() => this.CONSUME(T.Semicolon));
      this.ACTION(() => {
        this.imports.push({
          names,
          from: readString(from, this.source.name, (problem) => this.report(problem)),
          fromSpan: this.spanOf(from),
          span: this.spanFrom(start),
        });
      });
    },
  );

  private readonly functionDeclaration: Rule<void, [number, string, boolean, boolean]> = this.RULE(
    'functionDeclaration',
    (start: number, doc: string, isExported: boolean, isExtern: boolean) => {
      this.CONSUME(T.Fn);
      const name = this.CONSUME(T.Identifier);
      let generics: readonly Generic[] = [];
      this.OPTION(() => {
        generics = this.SUBRULE(this.generics);
      });
      const parameters: Parameter[] = [];
      const open = this.CONSUME(T.LeftParen);
      this.listUntil(T.RightParen, open, 'a parameter', () => {
        parameters.push(this.SUBRULE(this.parameter));
      });
      let result: TypeExpression | undefined;
      this.OPTION1({
        GATE: () => this.isNext(T.Arrow) || (this.isNext(T.Colon) && !this.isOnNewLine(2)),
        DEF: () => {
          this.OR([
            { ALT: () => this.CONSUME(T.Arrow) },
            {
              ALT: () => {
                const colon = this.CONSUME(T.Colon);
                this.ACTION(() => this.report(resultColon(this.spanOf(colon))));
              },
            },
          ]);
          result = this.SUBRULE(this.type);
        },
      });
      let constraints: readonly Constraint[] = [];
      this.OPTION2({
        GATE: () => this.isWord('where'),
        DEF: () => {
          constraints = this.SUBRULE(this.constraints);
        },
      });
      let kernel: KernelClause | undefined;
      this.ACTION(() => this.checkKernelClause(isExtern));
      this.OPTION3({
        GATE: () => isExtern,
        DEF: () => {
          kernel = this.SUBRULE(this.kernelClause);
        },
      });
      this.ACTION(() => {
        if (!this.isNext(T.LeftBrace)) {
          const hasResult = result !== undefined;
          this.failExpecting(hasResult ? '`{` or `where`' : '`->` and the result type, or `{`');
        }
      });
      this.isInBlock = true;
      const body = this.SUBRULE(this.block);
      this.isInBlock = false;
      this.ACTION(() => {
        const declaration: FunctionDeclaration = {
          kind: 'fn',
          isExported,
          doc,
          name: this.nameOf(name),
          generics,
          parameters,
          result,
          constraints,
          ...(kernel === undefined ? {} : { kernel }),
          body,
          span: this.spanFrom(start),
        };
        this.declarations.push(declaration);
      });
    },
  );

  /** An `extern` function has a kernel, and no other has. */
  private checkKernelClause(isExtern: boolean): void {
    const token = this.LA(1);
    const isKernel = kernelLanguages.has(token.image) && this.isNext(T.StringLiteral, 2);
    const isMissing = this.isNext(T.LeftBrace) || this.isNext(T.Semicolon);
    if (isExtern && isMissing) this.fail(externWithoutKernel(this.spanOf(token)));
    if (isExtern && !isKernel) this.failExpecting('`metal "./file.metal"`');
    if (isKernel && !isExtern) this.fail(kernelWithoutExtern(this.spanOf(token)));
  }

  private readonly kernelClause: Rule<KernelClause> = this.RULE('kernelClause', () => {
    const start = this.here();
    const language = this.CONSUME(T.Identifier);
    const source = this.CONSUME(T.StringLiteral, { ERR_MSG: 'the file of the kernel as a string' });
    let entry: IToken | undefined;
    this.ACTION(() => {
      if (!this.isWord('kernel') || this.isNext(T.StringLiteral, 2)) return;
      this.SKIP_TOKEN();
      this.failExpecting('the name of the kernel as a string');
    });
    this.OPTION({
      GATE: () => this.isWord('kernel'),
      DEF: () => {
        this.CONSUME1(T.Identifier);
        entry = this.CONSUME1(T.StringLiteral, { ERR_MSG: 'the name of the kernel as a string' });
      },
    });
    this.ACTION(() => {
      if (!this.isWord('grid')) {
        const name = entry === undefined ? '`kernel` or ' : '';
        this.failExpecting(`${name}\`grid\``);
      }
    });
    this.CONSUME2(T.Identifier);
    const gridStart = this.here();
    const grid = this.SUBRULE(this.extents);
    const gridSpan = this.ACTION(() => this.spanFrom(gridStart));
    this.ACTION(() => {
      if (!this.isWord('threads')) this.failExpecting('`threads`');
    });
    this.CONSUME3(T.Identifier);
    const threadsStart = this.here();
    const threads = this.SUBRULE1(this.extents);
    const threadsSpan = this.ACTION(() => this.spanFrom(threadsStart));
    return this.ACTION<KernelClause>(() => {
      const read = (token: IToken): string =>
        readString(token, this.source.name, (problem) => this.report(problem));
      return {
        language: this.nameOf(language),
        source: read(source),
        sourceSpan: this.spanOf(source),
        entry: entry && { text: read(entry), span: this.spanOf(entry) },
        grid,
        gridSpan,
        threads,
        threadsSpan,
        span: this.spanFrom(start),
      };
    });
  });

  /** `(N, M)` */
  private readonly extents: Rule<DimExpression[]> = this.RULE('extents', () => {
    const list: DimExpression[] = [];
    const open = this.CONSUME(T.LeftParen, { ERR_MSG: '`(`' });
    this.listUntil(T.RightParen, open, 'a size', () => {
      list.push(this.SUBRULE(this.dim));
    });
    return list;
  });

  private readonly parameter: Rule<Parameter> = this.RULE('parameter', () => {
    const start = this.here();
    const name = this.CONSUME(T.Identifier);
    this.CONSUME(T.Colon);
    const type = this.SUBRULE(this.type);
    let fallback: Expression | undefined;
    this.OPTION(() => {
      this.CONSUME(T.Equal);
      fallback = this.SUBRULE(this.expression);
    });
    return this.ACTION<Parameter>(() => ({
      name: this.nameOf(name),
      type,
      default: fallback,
      span: this.spanFrom(start),
    }));
  });

  private readonly constraints: Rule<Constraint[]> = this.RULE('constraints', () => {
    const list: Constraint[] = [];
    this.CONSUME(T.Identifier);
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => {
        list.push(this.SUBRULE(this.constraint));
      },
    });
    return list;
  });

  private readonly constraint: Rule<Constraint> = this.RULE('constraint', () => {
    const start = this.here();
    const left = this.SUBRULE(this.dim);
    const relation = this.OR({
      DEF: relationTokens.map((type) => ({ ALT: () => this.CONSUME(type) })),
      ERR_MSG: 'a comparison such as `==`',
    });
    const right = this.SUBRULE1(this.dim);
    return this.ACTION<Constraint>(() => ({
      left,
      relation: relation.image as Relation,
      right,
      span: this.spanFrom(start),
    }));
  });

  private readonly structDeclaration: Rule<void, [number, string, boolean]> = this.RULE(
    'structDeclaration',
    (start: number, doc: string, isExported: boolean) => {
      this.CONSUME(T.Struct);
      const name = this.CONSUME(T.Identifier);
      let generics: readonly Generic[] = [];
      this.OPTION(() => {
        generics = this.SUBRULE(this.generics);
      });
      const open = this.CONSUME(T.LeftBrace, { ERR_MSG: '`{`' });
      const fields: StructDeclaration['fields'][number][] = [];
      this.listUntil(T.RightBrace, open, 'a field', () => {
        const fieldDoc = this.docBefore();
        const field = this.CONSUME1(T.Identifier);
        this.SUBRULE(this.fieldColon);
        const type = this.SUBRULE(this.type);
        this.ACTION(() => fields.push({ name: this.nameOf(field), type, doc: fieldDoc }));
      });
      this.ACTION(() => {
        const declaration: StructDeclaration = {
          kind: 'struct',
          isExported,
          doc,
          name: this.nameOf(name),
          generics,
          fields,
          span: this.spanFrom(start),
        };
        this.declarations.push(declaration);
      });
    },
  );

  private readonly constDeclaration: Rule<void, [number, string, boolean]> = this.RULE(
    'constDeclaration',
    (start: number, doc: string, isExported: boolean) => {
      this.CONSUME(T.Const);
      const name = this.CONSUME(T.Identifier);
      let type: TypeExpression | undefined;
      this.OPTION(() => {
        this.CONSUME(T.Colon);
        type = this.SUBRULE(this.type);
      });
      this.CONSUME(T.Equal);
      const value = this.SUBRULE(this.expression);
      this.ACTION(() => this.expectSemicolon());
      this.OPTION1(() => this.CONSUME(T.Semicolon));
      this.ACTION(() => {
        const declaration: ConstDeclaration = {
          kind: 'const',
          isExported,
          doc,
          name: this.nameOf(name),
          type,
          value,
          span: this.spanFrom(start),
        };
        this.declarations.push(declaration);
      });
    },
  );

  // --- Blocks and statements ------------------------------------------------------------------------------

  protected override readonly block: Rule<Block> = this.RULE('block', () => {
    const start = this.here();
    const open = this.CONSUME(T.LeftBrace);
    const statements: Statement[] = [];
    let result: Expression | undefined;
    if (this.RECORDING_PHASE) {
      this.MANY(() => this.SUBRULE(this.statement));
    } else {
      while (!this.isNext(T.RightBrace) && !this.isAtEnd() && !this.isAtDeclaration()) {
        if (this.isNext(T.Semicolon)) {
          this.report(emptyStatement(this.spanOf(this.LA(1))));
          this.SKIP_TOKEN();
          continue;
        }
        for (const statement of this.statementOrSkip()) {
          if (statement.kind === 'result') result = statement.value;
          else statements.push(statement);
        }
      }
    }
    this.opening = open;
    this.CONSUME(T.RightBrace);
    return this.ACTION<Block>(() => ({ statements, result, span: this.spanFrom(start) }));
  });

  private statementOrSkip(): readonly StatementOrResult[] {
    const start = this.here();
    const allowed = this.allowsStruct;
    this.allowsStruct = true;
    try {
      return [this.SUBRULE(this.statement)];
    } catch (failure) {
      this.reportFailure(failure, start);
      this.skipStatement(start);
      // the block had something here: it is not "a block without value"
      const span = this.spanBetween(start, Math.max(start, this.here()));
      const bound = this.namesBoundAt(start).map((name): Statement => {
        const value: Expression = { kind: 'error', span: name.span };
        return { kind: 'var', name, type: undefined, value, span };
      });
      return this.isNext(T.RightBrace)
        ? [...bound, { kind: 'result', value: { kind: 'error', span } }]
        : bound;
    } finally {
      this.allowsStruct = allowed;
    }
  }

  private readonly statement: Rule<StatementOrResult> = this.RULE('statement', () => {
    this.ACTION(() => this.checkStatementWord());
    return this.OR<StatementOrResult>({
      DEF: [
        { ALT: () => this.SUBRULE(this.letStatement) },
        {
          GATE: () => this.isWord('var') && (this.isNext(T.Identifier, 2) || this.isVarPattern()),
          ALT: () => this.SUBRULE(this.varStatement),
        },
        {
          GATE: () => this.isNext(T.Identifier) && assignTokenSet.has(this.LA(2).tokenType),
          ALT: () => this.SUBRULE(this.assignStatement),
        },
        { ALT: () => this.SUBRULE(this.forStatement) },
        { ALT: () => this.SUBRULE(this.whileStatement) },
        {
          GATE: () => this.isNext(T.If) || this.isNext(T.LeftBrace),
          ALT: () => this.SUBRULE(this.blockLikeStatement),
        },
        { ALT: () => this.SUBRULE(this.expressionStatement) },
      ],
      ERR_MSG: 'a statement',
      IGNORE_AMBIGUITIES: true,
    });
  });

  /** Words of other languages, and declarations, where a statement starts. */
  private checkStatementWord(): void {
    const token = this.LA(1);
    const { image } = token;
    if (this.isDeclarationWord()) this.fail(nestedDeclaration(this.spanOf(token), image));
    if (token.tokenType === T.For && this.isNext(T.LeftParen, 2)) this.checkLoopOfC();
    if (token.tokenType !== T.Identifier) return;
    const second = this.LA(2).tokenType;
    const cure = unknownStatements.get(image);
    if (cure !== undefined && this.startsForeignStatement()) {
      const problem = unknownConstruct(this.spanOf(token), image, cure);
      this.SKIP_TOKEN();
      this.fail(problem);
    }
    const standsAlone = second === T.Semicolon || second === T.RightBrace;
    if ((image === 'break' || image === 'continue') && standsAlone) {
      this.fail(noJump(this.spanOf(token), image));
    }
    const startsOperand =
      second === T.Identifier || second === T.NumberLiteral || second === T.If || standsAlone;
    if (image === 'return' && (startsOperand || second === T.LeftParen || second === T.Minus)) {
      this.fail(noReturn(this.spanOf(token)));
    }
  }

  /** `match x {`, `with f() {`, `yield x`, `pass;`, and not `match(x)`, `loop = 1`. */
  private startsForeignStatement(): boolean {
    const second = this.LA(2).tokenType;
    if (second !== T.LeftParen) {
      const starts: readonly TokenType[] = [
        T.LeftBrace,
        T.Identifier,
        T.NumberLiteral,
        T.Semicolon,
        T.RightBrace,
      ];
      return starts.includes(second);
    }
    let depth = 0;
    for (let i = 2; i < 200; i++) {
      if (this.isNext(T.LeftParen, i)) depth += 1;
      else if (this.isNext(T.RightParen, i)) depth -= 1;
      if (depth === 0) return this.isNext(T.LeftBrace, i + 1);
    }
    return false;
  }

  /** `for (let i = 0; i < n; i++) {`: the head is skipped, so that its `;` end nothing. */
  private checkLoopOfC(): void {
    let isLoopOfC = false;
    let end = 2;
    for (; !this.isNext(T.LeftBrace, end) && this.LA(end).startOffset >= 0; end++) {
      if (this.isNext(T.Semicolon, end)) isLoopOfC = true;
    }
    if (!isLoopOfC || !this.isNext(T.RightParen, end - 1)) return;
    const span = this.spanBetween(this.LA(1).startOffset, endOf(this.LA(end - 1)));
    for (let i = 1; i < end; i++) this.SKIP_TOKEN();
    const text = 'for (…; …; …)';
    this.fail(unknownConstruct(span, text, 'write `for i in 0..n { … }`'));
  }

  private readonly letStatement: Rule<Statement> = this.RULE('letStatement', () => {
    const start = this.here();
    this.CONSUME(T.Let);
    let isMut = false;
    this.ACTION(() => {
      if (!this.isWord('mut') || !this.isNext(T.Identifier, 2)) return;
      this.report(noMut(this.spanOf(this.LA(1))));
      this.SKIP_TOKEN();
      isMut = true;
    });
    const pattern = this.SUBRULE(this.pattern);
    const type = this.SUBRULE(this.annotation);
    this.CONSUME(T.Equal);
    const value = this.SUBRULE(this.expression);
    this.SUBRULE(this.semicolon);
    return this.ACTION<Statement>(() => {
      const span = this.spanFrom(start);
      if (isMut && pattern.kind === 'name') {
        return { kind: 'var', name: pattern.name, type, value, span };
      }
      return { kind: 'let', isVar: isMut, pattern, type, value, span };
    });
  });

  private readonly varStatement: Rule<Statement> = this.RULE('varStatement', () => {
    const start = this.here();
    this.CONSUME(T.Identifier);
    const pattern = this.SUBRULE(this.pattern);
    const type = this.SUBRULE(this.annotation);
    this.CONSUME(T.Equal);
    const value = this.SUBRULE(this.expression);
    this.SUBRULE(this.semicolon);
    return this.ACTION<Statement>(() => {
      const span = this.spanFrom(start);
      return pattern.kind === 'name'
        ? { kind: 'var', name: pattern.name, type, value, span }
        : { kind: 'let', isVar: true, pattern, type, value, span };
    });
  });

  /** `var (a, b) =` declares two variables; `var(x)` is the variance. */
  private isVarPattern(): boolean {
    if (!this.isNext(T.LeftParen, 2)) return false;
    let depth = 0;
    for (let i = 2; ; i++) {
      const { tokenType } = this.LA(i);
      if (tokenType === T.LeftParen) depth += 1;
      else if (tokenType === T.RightParen) depth -= 1;
      else if (tokenType !== T.Identifier && tokenType !== T.Comma) return false;
      if (depth === 0) return this.isNext(T.Equal, i + 1) || this.isNext(T.Colon, i + 1);
    }
  }

  private readonly annotation: Rule<TypeExpression | undefined> = this.RULE('annotation', () => {
    let type: TypeExpression | undefined;
    this.OPTION(() => {
      this.CONSUME(T.Colon);
      type = this.SUBRULE(this.type);
    });
    return type;
  });

  private readonly assignStatement: Rule<Statement> = this.RULE('assignStatement', () => {
    const start = this.here();
    const name = this.CONSUME(T.Identifier);
    const operator = this.OR(assignTokens.map((type) => ({ ALT: () => this.CONSUME(type) })));
    const value = this.SUBRULE(this.expression);
    this.SUBRULE(this.semicolon);
    return this.ACTION<Statement>(() => ({
      kind: 'assign',
      name: this.nameOf(name),
      operator: operator.image as AssignOperator,
      value,
      span: this.spanFrom(start),
    }));
  });

  private readonly forStatement: Rule<Statement> = this.RULE('forStatement', () => {
    const start = this.here();
    this.CONSUME(T.For);
    const pattern = this.SUBRULE(this.pattern);
    this.CONSUME(T.In);
    let iterable = this.SUBRULE(this.header);
    this.OPTION(() => {
      this.CONSUME(T.DotDot);
      const to = this.SUBRULE1(this.header);
      this.ACTION(() => {
        const span = this.spanBetween(iterable.span.start, to.span.end);
        iterable = { kind: 'range', from: iterable, to, span };
      });
    });
    let condition: Expression | undefined;
    this.OPTION1(() => {
      this.CONSUME(T.While);
      condition = this.SUBRULE2(this.header);
    });
    const body = this.SUBRULE(this.blockAfterHeader);
    this.OPTION2(() => this.CONSUME(T.Semicolon));
    return this.ACTION<Statement>(() => ({
      kind: 'for',
      pattern,
      iterable,
      condition,
      body,
      span: this.spanFrom(start),
    }));
  });

  private readonly whileStatement: Rule<Statement> = this.RULE('whileStatement', () => {
    const start = this.here();
    this.CONSUME(T.While);
    const condition = this.SUBRULE(this.header);
    const body = this.SUBRULE(this.blockAfterHeader);
    this.OPTION(() => this.CONSUME(T.Semicolon));
    return this.ACTION<Statement>(() => ({
      kind: 'while',
      condition,
      body,
      span: this.spanFrom(start),
    }));
  });

  /** `if` or a block where a statement starts: it needs no `;`, and is the value when it comes last. */
  private readonly blockLikeStatement: Rule<StatementOrResult> = this.RULE(
    'blockLikeStatement',
    () => {
      const start = this.here();
      let value = this.OR<Expression>([
        { ALT: () => this.SUBRULE(this.ifExpression) },
        {
          ALT: () => {
            const block = this.SUBRULE(this.block);
            return this.ACTION<Expression>(() => ({ kind: 'block', block, span: block.span }));
          },
        },
      ]);
      let goesOn = false;
      this.OPTION({
        GATE: () => this.goesOn(),
        DEF: () => {
          value = this.SUBRULE(this.infixRest, { ARGS: [value] });
          goesOn = true;
        },
      });
      let isEnded = false;
      this.OPTION1(() => {
        this.CONSUME(T.Semicolon);
        isEnded = true;
      });
      return this.ACTION<StatementOrResult>(() => {
        if (!isEnded && this.isNext(T.RightBrace)) return { kind: 'result', value };
        if (!isEnded && goesOn) this.expectSemicolon();
        return { kind: 'expression', expression: value, span: this.spanFrom(start) };
      });
    },
  );

  private readonly expressionStatement: Rule<StatementOrResult> = this.RULE(
    'expressionStatement',
    () => {
      const start = this.here();
      let value = this.SUBRULE(this.expression);
      let isResult = false;
      this.ACTION(() => {
        isResult = this.isNext(T.RightBrace);
        // a doc string of Python: that nothing ends it says enough
        const isLoose = !isResult && value.kind === 'string' && !this.isNext(T.Semicolon);
        if (isLoose) value = { kind: 'error', span: value.span };
      });
      this.OPTION({ GATE: () => !isResult, DEF: () => this.SUBRULE(this.semicolon) });
      return this.ACTION<StatementOrResult>(() =>
        isResult
          ? { kind: 'result', value }
          : { kind: 'expression', expression: value, span: this.spanFrom(start) },
      );
    },
  );

  /** True while a function's body is read. */
  private isInBlock = false;

  /** `;`, or its absence at the end of a line, which is reported and forgiven. */
  private readonly semicolon: Rule<void> = this.RULE('semicolon', () => {
    this.ACTION(() => this.expectSemicolon());
    this.OPTION(() => this.CONSUME(T.Semicolon));
  });

  private expectSemicolon(): void {
    if (this.isNext(T.Semicolon)) return;
    // the missing `}` of the block is the better report
    if (this.isInBlock && (this.isAtEnd() || this.isAtDeclaration())) return;
    this.forgiveAtLineEnd('`;` or an operator', this.isNext(T.Let));
  }
}

let parser: Parser | undefined;

/** Parses tokens with the one parser of the process. */
export function parseTokens(source: Source, lexed: Lexed, sink: DiagnosticSink): Module {
  parser ??= new Parser(true);
  return parser.parseModule(source, lexed, sink);
}

/** Builds the parser with chevrotain's checks of the grammar on; throws when one fails. For the tests. */
export function validateGrammar(): void {
  new Parser(false);
}
