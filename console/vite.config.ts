import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import Components from 'unplugin-vue-components/vite'
import { defineConfig, type Plugin } from 'vite'

const RUNNING = fileURLToPath(new URL('../.cache/local.json', import.meta.url))

/** In development the console talks to whatever `make run` or `make dev` has started. */
function configOfRunningSystem(): Plugin {
  return {
    name: 'config-of-running-system',
    transformIndexHtml: (html, { server }) =>
      server ? html.replace("connect-src 'self'", "connect-src 'self' ws:") : html,
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

export default defineConfig({
  base: './', // served from any path of any host: a bucket needs no rewrite rules
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  plugins: [
    vue(),
    Components({ dirs: [], dts: false, resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
    configOfRunningSystem(),
  ],
  // Known beforehand, or development would reload at the first visit of every page.
  optimizeDeps: { include: ['element-plus/es', 'element-plus/es/components/*/style/css'] },
  build: {
    assetsInlineLimit: 0, // every asset has an address of its own: the policy allows no data scripts
    modulePreload: { polyfill: false }, // the polyfill is for browsers the console does not support
    chunkSizeWarningLimit: 600, // the chart's, fetched when a chart is shown
    manifest: true, // scripts/sizes.mjs reads which chunks the first page needs
  },
})
