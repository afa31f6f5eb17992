/** Types for the part of h5wasm-plugins that HDF5 files need; the package has none. */
declare module "h5wasm-plugins" {
  export const base_url: string;
  export function install_plugins(module: object, names: readonly string[]): Promise<void>;
}
