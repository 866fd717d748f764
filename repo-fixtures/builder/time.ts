// The one point in time at which every fixture was "built": nothing in them depends on the clock.

/** 2024-06-03 12:00:00 UTC, seconds since 1970. */
export const BUILD_TIME = 1_717_416_000;
/** The same for gpg's --faked-system-time; the `!` stops its clock. */
export const BUILD_TIME_GPG = '20240603T120000!';
/** Host name written into packages; .invalid can never be a real one (RFC 2606). */
export const BUILD_HOST = 'fixtures.invalid';
