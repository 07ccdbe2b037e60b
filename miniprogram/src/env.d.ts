/// <reference types="vite/client" />
interface ImportMetaEnv {
  readonly VITE_API?: string
  readonly VITE_MERCHANT?: string
  readonly VITE_COLOUR?: string
  readonly VITE_BUILD: string // of vite.config.ts
}
