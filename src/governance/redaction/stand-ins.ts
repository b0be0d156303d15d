/** Maximum length of a stand-in. Longer values always count as secrets. */
const MAX_STAND_IN = 120;

const WORDS = [
  'null none nil undefined true false yes no on off empty unset hidden redacted masked omitted',
  'to and or is the for from with has have was were must not may can will should it this that your',
  'required optional nullable sometimes string str text bytes bool boolean number int integer float char varchar any unknown',
  'never void object array list dict map type value auto default input output name user username email',
  'password passwd passphrase token secret key credentials prompt ask confirm reset change changed update updated',
  'expired failed failure denied incorrect invalid valid missing mismatch unchanged successful successfully success ok okay error',
  'authentication authenticated authorization login enabled disabled enable disable set get new old current lock locked',
  'option options flag flags argument arguments parameter parameters',
  'files compat systemd db sss ldap file include omit same-origin basic bearer digest',
].flatMap((line) => line.split(' '));

const FORMS = [
  // Variables, templates, references to the location of the value.
  String.raw`\$[A-Z_][A-Z0-9_]*`,
  String.raw`\$[a-z_]+`,
  String.raw`\$\d`,
  String.raw`\$[({].*`,
  '%.*%',
  '%[a-z]',
  String.raw`%\(.*`,
  String.raw`\{\{.*`,
  String.raw`#\{.*`,
  '<.*',
  String.raw`@[\w.]+@`,
  '(?:op|vault|ssm|env|file|arn|secretref|awssm|keyring|ref):.*',
  String.raw`https?:\/\/[^\s@]*`,
  String.raw`~?(?:\/[\w.@-]+){2,}\/?`,
  String.raw`\.{1,2}\/[\w./-]+`,
  String.raw`\/dev\/\w+`,
  // Placeholders.
  '[:*]+',
  String.raw`\[redacted:.*`,
  String.raw`\{.*`,
  '(?:%[sdrv]|[:@/ -])+',
  // The name of a variable.
  '[A-Z][A-Z0-9]*_(?:[A-Z0-9]+_)*(?:PASSWORD|PASSPHRASE|TOKEN|SECRET|KEY)',
  '[xX]{3,}',
  '[•.…-]+',
  String.raw`[([][A-Za-z ]+[)\]]?`,
  // Small numbers, versions.
  String.raw`\d{1,3}`,
  String.raw`[~^<>=v]{0,2}\d+(?:\.(?:\d+|[x*])){1,3}[\w.+-]*`,
  // Validation rules of web frameworks.
  '(?:required|nullable|sometimes|string|confirmed)[|:,].*',
  String.raw`.*\|(?:min|max|confirmed|string|required)\b.*`,
];

const STAND_IN = new RegExp(`^(?:${[...WORDS, ...FORMS].join('|')})$`, 'i');

/** Not in a literal, where other letters than ASCII would double the size of the built file in memory, and slow down the start. */
const PASSWORD_WORDS =
  'password|passwort|kennwort|mot de passe|contraseña|senha|wachtwoord|lösenord|hasło|пароль|密码|パスワード|passphrase';
/** Labels and messages: several words, one of which means "password" in some language. */
const LABEL = new RegExp(
  String.raw`^(?=.*[\s:]|[\p{L}]+$).*(?:${PASSWORD_WORDS}|\btoken\b|\bsecret\b|\bkey\b)`,
  'iu',
);

/** Whether a value is a stand-in for a secret or a description of one, not a secret itself. */
export function isStandIn(value: string): boolean {
  return value.length <= MAX_STAND_IN && (STAND_IN.test(value) || LABEL.test(value));
}
