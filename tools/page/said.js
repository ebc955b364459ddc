/**
 * A rule for ESLint: words that people read come from `say` (en.js and de.js), so that no language
 * is left with half a page. It finds texts that are written into an element where they stand.
 */

/** All but the name of the thing. */
const WORDS = /^(?!camkeep$).*\p{L}{2}/su;
/** Functions whose arguments are shown: from which one on. */
const CALLS = { make: 2, write: 1, tell: 0 };
const METHODS = ["append", "prepend", "replaceChildren", "before", "after", "replaceWith"];
const ATTRIBUTES =
  /^(title|placeholder|alt|label|aria-(label|description|valuetext|roledescription))$/;
const PROPERTIES = ["textContent", "innerText", "title", "placeholder", "alt", "ariaLabel"];
/** What hands on a text that is in it. */
const THROUGH = [
  "TemplateLiteral",
  "ConditionalExpression",
  "LogicalExpression",
  "BinaryExpression",
  "ArrayExpression",
  "SpreadElement",
];

/** Whether people see what stands at `node`; `calls` are those that show. */
function isShown(node, calls) {
  const { parent } = node;
  switch (parent.type) {
    case "CallExpression":
      return isShownBy(parent, parent.arguments.indexOf(node), calls);
    case "Property":
      return (
        parent.value === node &&
        ATTRIBUTES.test(parent.key.name ?? parent.key.value) &&
        parent.parent.parent.callee?.name === "make"
      );
    case "AssignmentExpression":
      return parent.right === node && PROPERTIES.includes(parent.left.property?.name);
    case "ConditionalExpression":
      return parent.test !== node && isShown(parent, calls);
    case "BinaryExpression":
      return parent.operator === "+" && isShown(parent, calls);
    default:
      return THROUGH.includes(parent.type) && isShown(parent, calls);
  }
}

/** Whether that call shows its argument at `index`. */
function isShownBy({ callee, arguments: given }, index, calls) {
  if (index < 0) return false;
  if (callee.type === "Identifier") return index >= (calls[callee.name] ?? Infinity);
  const method = callee.property?.name;
  if (method === "setAttribute") return index === 1 && ATTRIBUTES.test(given[0].value);
  // URLSearchParams and FormData take a name and a value; elements take any number.
  const pair = method === "append" && given.length === 2 && given[0].type === "Literal";
  return METHODS.includes(method) && !pair;
}

export const said = {
  meta: {
    type: "problem",
    schema: [],
    messages: { say: "What people read: say it in en.js and de.js." },
  },
  create(context) {
    const calls = { ...CALLS };
    const look = (node, text) => {
      if (typeof text !== "string" || !WORDS.test(text)) return;
      if (isShown(node, calls)) context.report({ node, messageId: "say" });
    };
    return {
      ImportDeclaration({ source }) {
        if (source.value === "./dialog.js") calls.ask = 0; // another `ask` is api.js's
      },
      Literal: (node) => look(node, node.value),
      TemplateElement: (node) => look(node, node.value.cooked),
    };
  },
};
