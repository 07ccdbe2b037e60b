import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/dark/css-vars.css'
import './base.css'
import { createApp } from 'vue'
import App from './App.vue'
import { loadConfig } from './config'
import { router } from './router'
import { speakAsBefore, t } from './words'

async function start(): Promise<void> {
  await Promise.all([loadConfig(), speakAsBefore()])
  createApp(App).use(router).mount('#app')
}

start().catch(() => {
  const place = document.querySelector('#app')
  if (place) place.textContent = t('error.start')
})
