/** The links of `linearised`, as data and as rules. A new link is a file beside this one, and a line in the table. */
import { anyOf, isRecord, literals } from '../../codec/index.js';
import { CustomLink, customLinkRule } from './customLink.js';
import { laplaceBridgeRule } from './laplaceBridge.js';
import type { LinkRule } from './link.js';
import { monteCarloRule } from './monteCarlo.js';
import { multiclassProbitRule } from './multiclassProbit.js';
import { probitRule } from './probit.js';

const RULES = {
  probit: probitRule,
  multiclassProbit: multiclassProbitRule,
  monteCarlo: monteCarloRule,
  laplaceBridge: laplaceBridgeRule,
} satisfies Readonly<Record<string, LinkRule>>;

type LinkName = keyof typeof RULES;

/**
 * A link turns the Gaussian on the outputs into probabilities. It is the name of a link of the library, or a link of your own.
 */
export type Link = LinkName | (typeof CustomLink)['_A'];

/** The link if none is named. */
export const DEFAULT_LINK = 'probit';

/** Decodes a link. */
export const Links = anyOf(literals(...(Object.keys(RULES) as LinkName[])), CustomLink, isRecord);

/** The rule of a link. */
export const linkRule = (link: Link): LinkRule => (typeof link === 'string' ? RULES[link] : customLinkRule(link));

/** A link in words, for error messages. */
export const nameOf = (link: Link): string => (typeof link === 'string' ? link : link.name);
