// The strict XML parser, by name: a lazily loaded CommonJS package has no named exports in the bundle.
export { SaxesParser } from 'saxes';
