/** This package's folder: its sources, its build and its bundle all lie one folder below. */
export const PACKAGE_ROOT = new URL('../', import.meta.url);
