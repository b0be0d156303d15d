/** Random scripts of the supported grammar, determined by the seed. */
export function generateScript(seed: number): string {
  return new Generator(seed).script();
}

const NAMES = ['a', 'b', 'c', 'x', 'y'];
const VALUES = [
  '',
  '0',
  '1',
  '7',
  '-3',
  'abc',
  'a b  c',
  ' lead',
  'trail ',
  'x:y:z',
  ':p::q:',
  'a*b',
  '*',
  '?',
  '[ab]',
  'a\\b',
  '$a',
  'a/b/c.tar.gz',
  'ünï',
  '~',
  "it's",
  'q"q',
  '#h',
  '!n',
];
const PATTERNS = [
  '*',
  'a*',
  '*c',
  '?',
  '??',
  '[abc]*',
  '*[!a-c]',
  '[[:digit:]]',
  '*:*',
  '*/',
  '*.*',
  'b',
  '""',
  '"*"',
  "'?'",
  '\\*',
  '[x-z]',
  '"$a"',
  '$b',
];

class Generator {
  #state: number;
  #depth = 0;
  #functions = 0;
  #loops = 0;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0;
  }

  script(): string {
    const lines: string[] = [];
    if (this.#chance(0.08)) lines.push('set -e');
    if (this.#chance(0.06)) lines.push('set -u; a= b= c= x= y=');
    if (this.#chance(0.06))
      lines.push(`trap ${this.#pick(["'echo bye $?'", "'echo t; exit 3'", "'echo a; echo b'"])} EXIT`);
    if (this.#chance(0.3))
      lines.push('mkdir d; : >f1; : >f2; echo "one two" >d/g1; : >d/.h; echo "l1\nl2" >"a b"');
    const count = 2 + this.#below(6);
    for (let i = 0; i < count; i += 1) lines.push(this.#statement());
    return `${lines.join('\n')}\n`;
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  #below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  #chance(probability: number): boolean {
    return this.#next() < probability;
  }

  #pick<T>(list: readonly [T, ...T[]] | readonly T[]): T {
    const found = list[this.#below(list.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }

  #name(): string {
    return this.#pick(NAMES);
  }

  #literal(): string {
    const value = this.#pick(VALUES);
    if (this.#chance(0.5)) return `'${value.replaceAll("'", `'\\''`)}'`;
    if (this.#chance(0.4)) return `"${value.replaceAll(/["\\`$]/g, '\\$&')}"`;
    return /^[\w./:-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
  }

  /** An expansion without quotes around it. */
  #expansion(): string {
    const name = this.#name();
    switch (this.#below(20)) {
      case 0:
        return `\${${name}:-${this.#inner()}}`;
      case 1:
        return `\${${name}-${this.#inner()}}`;
      case 2:
        return `\${${name}:+${this.#inner()}}`;
      case 3:
        return `\${${name}+${this.#inner()}}`;
      case 4:
        return `\${${name}:=${this.#inner()}}`;
      case 5:
        return `\${${name}#${this.#pick(PATTERNS)}}`;
      case 6:
        return `\${${name}##${this.#pick(PATTERNS)}}`;
      case 7:
        return `\${${name}%${this.#pick(PATTERNS)}}`;
      case 8:
        return `\${${name}%%${this.#pick(PATTERNS)}}`;
      case 9:
        return `\${#${name}}`;
      case 10:
        return `$((${this.#arithmetic()}))`;
      case 11:
        return `$(${this.#simple()}\n)`;
      case 12:
        return this.#pick(['$#', '$?', '$1', '$2', `$\{3}`, '$0']);
      case 13:
        return this.#pick(['$@', '$*']);
      case 14:
        return `\`${this.#pick(['echo x', `echo "$${name}"`, 'printf "1\\\\n2"'])}\``;
      default:
        return this.#chance(0.5) ? `$${name}` : `\${${name}}`;
    }
  }

  #inner(): string {
    return this.#pick([
      'w',
      'a b',
      '"q r"',
      `$${this.#name()}`,
      `"$${this.#name()}"`,
      "'s t'",
      '',
      '*',
      `\${${this.#name()}:-n}`,
    ]);
  }

  #word(): string {
    const pieces = 1 + (this.#chance(0.25) ? 1 : 0);
    let word = '';
    for (let i = 0; i < pieces; i += 1) {
      if (this.#chance(0.35)) word += this.#literal();
      else {
        const expansion = this.#expansion();
        word += this.#chance(0.55)
          ? `"${expansion.includes('"') && expansion.startsWith('`') ? '$a' : expansion}"`
          : expansion;
      }
    }
    return word;
  }

  #arithmetic(depth = 0): string {
    if (depth > 2 || this.#chance(0.35))
      return this.#pick([
        '0',
        '1',
        '2',
        '7',
        '010',
        '0x1f',
        '(3)',
        '- 4',
        '!0',
        '~5',
        'n',
        '$n',
        'm',
        '100',
        '9223372036854775807',
      ]);
    const left = this.#arithmetic(depth + 1);
    const right = this.#arithmetic(depth + 1);
    const operator = this.#pick([
      '+',
      '-',
      '*',
      '/',
      '%',
      '<',
      '>',
      '<=',
      '>=',
      '==',
      '!=',
      '&',
      '|',
      '^',
      '&&',
      '||',
      '<<',
      '>>',
      '?',
    ]);
    if (operator === '?') return `${left} ? ${right} : 5`;
    if (operator === '<<' || operator === '>>') return `(${left}) ${operator} ${this.#below(5)}`;
    if (operator === '/' || operator === '%') return `(${left}) ${operator} ${1 + this.#below(9)}`;
    return this.#chance(0.3) ? `(${left} ${operator} ${right})` : `${left} ${operator} ${right}`;
  }

  #test(): string {
    const word = () => `"${this.#chance(0.5) ? `$${this.#name()}` : this.#pick(['', 'abc', '0', 'x:y:z'])}"`;
    switch (this.#below(9)) {
      case 0:
        return `[ ${word()} = ${word()} ]`;
      case 1:
        return `[ ${word()} != ${word()} ]`;
      case 2:
        return `[ -n ${word()} ]`;
      case 3:
        return `test -z ${word()}`;
      case 4:
        return `[ ${this.#below(5)} ${this.#pick(['-eq', '-lt', '-ge', '-ne'])} ${this.#below(5)} ]`;
      case 5:
        return `[ ${this.#pick(['-e', '-f', '-d', '-s'])} ${this.#pick(['f1', 'd', 'd/g1', 'none'])} ]`;
      case 6:
        return `! [ ${word()} = ${word()} ]`;
      case 7:
        return `[ ${word()} = ${word()} -o ${this.#below(3)} -eq ${this.#below(3)} ]`;
      default:
        return this.#pick(['true', 'false', ':', '! true', '(exit 3)']);
    }
  }

  #simple(): string {
    switch (this.#below(16)) {
      case 0:
      case 1:
        return `echo ${this.#word()} ${this.#word()}`;
      case 2:
        return `printf '%s|' ${this.#word()} ${this.#word()}; echo`;
      case 3:
        return `printf ${this.#pick(["'<%s>\\n'", "'%5s|%-4s|\\n'", "'%d %x\\n'", "'%03d\\n'", "'%b\\n'", "'%c%%\\n'", "'\\101\\t%s\\n'", "'%.2s\\n'"])} ${this.#pick([this.#word(), '7 8 9', "'a\\tb\\0101'", '12', '-5'])}`;
      case 4:
        return `${this.#name()}=${this.#word()}`;
      case 5:
        return `${this.#name()}=${this.#literal()} ${this.#name()}=${this.#word()}`;
      case 6:
        return `set -- ${this.#word()} ${this.#word()} ${this.#literal()}`;
      case 7:
        return `n=$((${this.#arithmetic()})); echo $n`;
      case 8:
        return `${this.#test()}; echo $?`;
      case 9:
        return `${this.#test()} ${this.#pick(['&&', '||'])} echo ${this.#word()}`;
      case 10:
        return this.#pick([
          'shift 2>/dev/null',
          'false',
          'true',
          '(exit 4)',
          'unset a',
          'unset x y',
          'cd . && echo in',
          'IFS=:',
          "IFS=' '",
          'unset IFS',
          "IFS=' :'",
          'IFS=',
        ]);
      case 11:
        return `echo ${this.#pick(['*', 'f*', 'd/*', 'd/.*[!.]', '[f]?', 'no*', '"*"', 'd/[a-h]*', 'a?b'])}`;
      case 12:
        return `echo ${this.#word()} >${this.#pick(['o1', 'o2'])}; cat ${this.#pick(['o1', 'o1 2>/dev/null', 'f1 2>/dev/null'])}`;
      case 13:
        return `cat <<${this.#chance(0.5) ? 'E' : "'E'"}\n$a \${b:-d} $((1+2)) \\$x "q" 'r' \\\\ \`echo k\`\nE`;
      case 14:
        return `eval ${this.#pick(["'echo $a'", '"echo \\$b"', "'x=1; echo $x'", '"echo ev; false"'])}`;
      default:
        return `echo ${this.#literal()} | ${this.#pick(['cat', 'while read -r l; do echo "<$l>"; done', '{ read a b; echo "$b,$a"; }', 'tr a-c A-C', 'wc -c', "sed 's/a/X/g'", 'sort', '{ IFS=: read x y; echo "$x;$y"; }', 'cut -c1-3', 'head -n 1', 'grep -c a'])}`;
    }
  }

  #list(): string {
    const count = 1 + this.#below(2);
    return Array.from({ length: count }, () => this.#statement()).join('\n');
  }

  #statement(): string {
    if (this.#depth > 2) return this.#simple();
    this.#depth += 1;
    try {
      switch (this.#below(18)) {
        case 0:
          return `if ${this.#test()}; then\n${this.#list()}\nelse\n${this.#list()}\nfi`;
        case 1:
          return `if ${this.#test()}; then ${this.#simple()}\nelif ${this.#test()}; then ${this.#simple()}\nfi`;
        case 2: {
          const list = this.#pick(['1 2 3', `${this.#word()} z`, '"$@"', '$a', 'f*', '"$a" $b']);
          this.#loops += 1;
          const body = this.#list();
          const jump = this.#chance(0.3)
            ? `\n${this.#test()} && ${this.#pick(['break', 'continue', 'break 2', 'continue 2'])}`
            : '';
          return `for i in ${list}; do echo "$i"${jump}\n${body}\ndone`;
        }
        case 3: {
          const counter = `k${this.#loops++}`;
          return `${counter}=0; while [ $${counter} -lt 3 ]; do ${counter}=$((${counter}+1))\n${this.#list()}\ndone`;
        }
        case 4:
          return `case ${this.#word()} in\n${this.#pick(PATTERNS)}) ${this.#simple()};;\n${this.#pick(PATTERNS)}|${this.#pick(PATTERNS)}) echo second;;\n*) echo other;;\nesac`;
        case 5:
          return `(${this.#list()}\n)`;
        case 6:
          return `{ ${this.#list()}\n}`;
        case 7: {
          const name = `fn${this.#functions++}`;
          const end = this.#chance(0.4) ? `\nreturn ${this.#below(4)}` : '';
          return `${name}() { local a; echo "$# $1"\n${this.#list()}${end}\n}\n${name} ${this.#word()} ${this.#literal()}; echo "$?"`;
        }
        case 8:
          return `{ ${this.#list()}\n} | ${this.#pick(['cat', 'tr a b', 'while read l; do echo "$l"; done', 'wc -l', 'tail -n 1'])}`;
        case 9:
          return `x=$(${this.#list()}\n); echo "$x" $?`;
        case 10:
          return `while read -r ${this.#pick(['l', 'a b', 'x y z'])}; do echo "$a|$b|$l|$x|$y|$z"; done <<E\n${this.#pick(['one two three\n  four  five\nsix', 'a:b:c\n:d:\n', '', 'x\\y z', '$a\n$b'])}\nE`;
        case 11:
          return `(${this.#simple()}\n) >o1 2>&1; cat o1`;
        case 12:
          return `{ echo out; echo err >&2; } ${this.#pick(['2>&1', '2>/dev/null', '>o2; cat o2', '3>&1 1>&2 2>&3 2>/dev/null', '>&- 2>/dev/null'])}`;
        case 13:
          return `{ ${this.#simple()}\n} & wait $!; echo $?`;
        case 14:
          return `exec 3>o3; echo three >&3; exec 3>&-; cat o3`;
        default:
          return this.#simple();
      }
    } finally {
      this.#depth -= 1;
    }
  }
}
