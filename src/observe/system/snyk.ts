// The rpm database parser, by name: a lazily loaded CommonJS package has no named exports in the bundle.
export { getPackages, getPackagesNdb, getPackagesSqlite } from '@snyk/rpm-parser';
