/**
 * What the page's code must not do, where types cannot see it. tsc looks after names, types and
 * what is unused; ESLint after habits, and after what the page's Content-Security-Policy forbids.
 */

import js from "@eslint/js";

import { said } from "./said.js";

/** Ways for a text to become markup or code. Text only ever becomes text (dom.js). */
const NEVER = [
  ["innerHTML", "outerHTML", "srcdoc"].map((property) => ({
    property,
    message: "Text only becomes text: textContent, or make() of dom.js.",
  })),
  ["insertAdjacentHTML", "setHTMLUnsafe", "createContextualFragment", "parseFromString"].map(
    (property) => ({ property, message: "Nothing on the page parses HTML." }),
  ),
  ["write", "writeln"].map((property) => ({
    object: "document",
    property,
    message: "Nothing on the page parses HTML.",
  })),
  {
    property: "cssText",
    message: "Set each property by its name: element.style.left = ...",
  },
].flat();

/** What has the form of something forbidden. */
const FORMS = [
  {
    selector: "CallExpression[callee.property.name='setAttribute'][arguments.0.value='style']",
    message: "The policy refuses style attributes: element.style.left = ...",
  },
  {
    selector: "CallExpression[callee.property.name='setAttribute'][arguments.0.value=/^on/]",
    message: "The policy refuses handlers in attributes: addEventListener.",
  },
  {
    selector: "CallExpression[callee.name='make'] > ObjectExpression > Property[key.name='style']",
    message: "The policy refuses style attributes: element.style.left = ...",
  },
  {
    selector:
      "CallExpression[callee.name='addEventListener'] > :matches(:first-child, Literal)[value='unload']",
    message: "A page that listens to unload is not kept for going back: pagehide.",
  },
  {
    selector: "Literal[value=/^https?:\\u002F\\u002F(?!www\\.w3\\.org)/]",
    message: "The page asks nobody but its own recorder.",
  },
  { selector: "ForInStatement", message: "Object.keys, which does not go up the prototypes." },
];

/** Only where a page is served safely (https), which a recorder at home is not. */
const SAFE_ONLY = ["VideoDecoder", "AudioDecoder", "VideoEncoder", "ImageDecoder", "caches"].map(
  (name) => ({ name, message: "Missing over plain http, which is how most people come." }),
);

export default [
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { camkeep: { rules: { said } } },
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "module",
      globals: { setTimeout: "readonly", setInterval: "readonly" }, // looked at for texts as code
    },
    rules: {
      "no-undef": "off", // tsc's
      "no-unused-vars": "off", // tsc's
      "array-callback-return": "error",
      "camkeep/said": "error",
      "complexity": ["error", 16],
      "default-case-last": "error",
      "eqeqeq": "error",
      "grouped-accessor-pairs": "error",
      "max-depth": ["error", 3],
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
      "max-params": ["error", 5],
      "no-alert": "error",
      "no-await-in-loop": "off", // where it is written, one after the other is meant
      "no-caller": "error",
      "no-console": "error",
      "no-constructor-return": "error",
      "no-eval": "error",
      "no-extend-native": "error",
      "no-implicit-coercion": "error",
      "no-implied-eval": "error",
      "no-lone-blocks": "error",
      "no-new-func": "error",
      "no-new-wrappers": "error",
      "no-object-constructor": "error",
      "no-param-reassign": "error",
      "no-promise-executor-return": "error",
      "no-proto": "error",
      "no-restricted-globals": ["error", "event", "name", ...SAFE_ONLY],
      "no-restricted-properties": ["error", ...NEVER],
      "no-restricted-syntax": ["error", ...FORMS],
      "no-return-assign": "error",
      "no-script-url": "error",
      "no-self-compare": "error",
      "no-sequences": "error",
      "no-template-curly-in-string": "error",
      "no-throw-literal": "error",
      "no-unmodified-loop-condition": "error",
      "no-unused-expressions": "error",
      "no-useless-assignment": "error",
      "no-useless-concat": "error",
      "no-useless-rename": "error",
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-object-has-own": "error",
      "prefer-promise-reject-errors": "error",
      "prefer-rest-params": "error",
      "prefer-spread": "error",
      "prefer-template": "error",
      "radix": "error",
      "require-atomic-updates": "off", // sees races where an AbortController ends them
      "require-await": "error",
      "symbol-description": "error",
      "yoda": "error",
    },
  },
  {
    files: ["en", "de", "en-more", "de-more"].map((name) => `**/ui/${name}.js`), // lists of words
    rules: { "max-lines": "off" },
  },
];
