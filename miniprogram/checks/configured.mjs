/** Whose mini-program is built: what .env.production.local has to say, before anything is built for nothing. */
import { fileURLToPath } from 'node:url'
import { loadEnv } from 'vite'

const FILE = 'miniprogram/.env.production.local'
const WANTED = {
  VITE_API: [/^https:\/\/[\w.-]+$/, '接口地址，如 https://api.shop.cn'],
  VITE_MERCHANT: [/^\w+$/, '店的编号'],
  VITE_APPID: [/^wx\w{16}$/, '小程序的 appid，如 wx 加 16 位字母或数字'],
}
const COLOUR = /^#[0-9a-f]{6}$/i

const given = loadEnv('production', fileURLToPath(new URL('..', import.meta.url)))
const wrong = Object.entries(WANTED).flatMap(([name, [form, words]]) => (form.test(given[name] ?? '') ? [] : [`${name}：${words}`]))
const { VITE_COLOUR } = given
if (VITE_COLOUR !== undefined && !COLOUR.test(VITE_COLOUR)) wrong.push('VITE_COLOUR："#d42a20" 这样写，引号不能少；用默认颜色就删掉这一行')
if (wrong.length > 0) {
  console.error([`请先在 ${FILE} 里写好（步骤见 docs/miniprogram.md）：`, ...wrong].join('\n  '))
  process.exit(1)
}
