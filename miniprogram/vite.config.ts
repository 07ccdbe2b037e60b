import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import uniPlugin from '@dcloudio/vite-plugin-uni'
import { defineConfig, loadEnv, type Plugin } from 'vite'

// The package is CommonJS; seen from an ES module its default is one level deeper.
const uni = (uniPlugin as unknown as { default?: typeof uniPlugin }).default ?? uniPlugin
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const RUNNING = here('../.cache/local.json')

/** uni-app's own styles load pictures from cdn.dcloud.net.cn; the shop calls no host but its own. */
function withoutForeignPictures(): Plugin {
  return {
    name: 'without-foreign-pictures',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'asset' && file.fileName.endsWith('.css')) {
          file.source = String(file.source).replace(/url\(["']?https:\/\/cdn\.dcloud\.net\.cn[^)]*\)/g, 'none')
        }
        if (file.type === 'chunk') {
          file.code = file.code.replace(/https:\/\/cdn\.dcloud\.net\.cn\/img\/[\w-]+\.png/g, '')
        }
      }
    },
  }
}

/** In a browser the sheets of the first pages come when they are opened, and the card of a 万人团 with one (platform/h5-later.ts). */
function sheetsLater(): Plugin {
  return {
    name: 'sheets-later',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/src\/pages\/.*\.vue$/.test(id)) return
      const parted = code.replace(/^import (\w+Sheet|CrowdCard) from ('@\/components\/(?:\w+Sheet|CrowdCard)\.vue')$/gm, 'const $1 = later(() => import($2))')
      if (parted === code) return
      return { code: parted.replace('<script setup lang="ts">\n', "$&import { later } from '@/platform/h5-later'\n"), map: null }
    },
  }
}

/** What uni-app can do in a browser and no page of ours uses; what it says itself, it says in Chinese (manifest.json). */
function withoutUnusedFeatures(): Plugin {
  const unused = ['WXS', 'LONGPRESS', 'I18N_EN', 'I18N_ES', 'I18N_FR', 'I18N_ZH_HANT']
  return {
    name: 'without-unused-features',
    enforce: 'post',
    config: () => ({ define: Object.fromEntries(unused.map((it) => [`__UNI_FEATURE_${it}__`, 'false'])) }),
  }
}

/** While developing, the shop is whatever `make run` or `make dev` has started. */
function configOfRunningSystem(): Plugin {
  return {
    name: 'config-of-running-system',
    configureServer(server) {
      server.middlewares.use('/config.json', async (_, answer) => {
        answer.setHeader('Content-Type', 'application/json')
        try {
          const { api, merchant_id } = JSON.parse(await readFile(RUNNING, 'utf8'))
          answer.end(JSON.stringify({ api, merchant_id }))
        } catch {
          server.config.logger.error('Start the API first: make run, or make dev')
          answer.writeHead(503).end('{}')
        }
      })
    },
  }
}

/** Whose mini-program is uploaded: VITE_APPID of .env.production.local, which is not committed. */
function appidOfTheShop(): Plugin {
  let mode = ''
  return {
    name: 'appid-of-the-shop',
    configResolved(config) {
      mode = config.mode
    },
    async closeBundle() {
      const { VITE_APPID } = loadEnv(mode, here('.'))
      if (!VITE_APPID || process.env.UNI_PLATFORM !== 'mp-weixin') return
      const file = `${process.env.UNI_OUTPUT_DIR}/project.config.json`
      const project = JSON.parse(await readFile(file, 'utf8'))
      await writeFile(file, JSON.stringify({ ...project, appid: VITE_APPID }, null, 2))
    },
  }
}

/** What the first pages share comes in two files: dozens of small ones weigh more, and each is asked for. */
const BASE = /node_modules|json-js|^\0|\/src\/((words(?!-account|-order|-crowd|-leader)|format|routes|config|ask)|platform\/|state\/(session|storage|clock|look|authorization|login)|api\/(client|errors|login|me)\.)/
const SHARED =
  /\/src\/(components\/(AppButton|AppScreen|CountDown|EmptyState|HowItWorks|JoinableRow|PriceTag|ProductPicture|SkeletonRows)\.vue|state\/(useLoad|useMenuCard)|api\/shop)/

function chunkOf(id: string): string | undefined {
  if (/vite\/|h5-later/.test(id)) return
  if (/h5-wechat|weixin-js-sdk/.test(id)) return 'wechat'
  if (SHARED.test(id)) return 'shared'
  return BASE.test(id) ? 'base' : undefined
}

const isH5 = process.env.UNI_PLATFORM === 'h5'

export default defineConfig({
  base: './', // served from any path of any host
  plugins: [isH5 && sheetsLater(), uni(), isH5 && withoutUnusedFeatures(), withoutForeignPictures(), configOfRunningSystem(), appidOfTheShop()],
  // Whatever a phone has kept from a page of another build may lack what the page reads now.
  define: { 'import.meta.env.VITE_BUILD': JSON.stringify(Date.now().toString(36)) },
  resolve: { alias: { '@platform': here(`./src/platform/${process.env.UNI_PLATFORM}.ts`) } },
  build: {
    target: 'es2018',
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    ...(isH5 && { rollupOptions: { output: { manualChunks: chunkOf } } }),
  },
})
