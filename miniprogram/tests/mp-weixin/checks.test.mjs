import { findEach } from '../planted.mjs'

findEach('mp-weixin', {
  'a page that is missing': [(_, remove) => remove('pages/group/group.js'), /pages\/group\/group\.js is missing/],
  'an address of no page': [(edit) => edit('routes.js', (it) => it.replace('/pages/login/login', '/pages/login/logon')), /no page pages\/login\/logon/],
  'a call that WeChat does not have': [(edit) => edit('ask.js', (it) => `${it}\nwx.showTost({})`), /wx\.showTost does not exist/],
  'a broken template': [(edit) => edit('pages/group/group.wxml', (it) => it.replace('</', '<')), /wcc/],
  'something shown that nothing gives': [(edit) => edit('pages/group/group.wxml', (it) => it.replace(/>{{\w+}}</, '>{{lost}}<')), /group\.wxml: \{\{lost\}\} is never given/],
  'an event that no element tells': [(edit) => edit('pages/group/group.wxml', (it) => it.replace('bindtap', 'bindtpa')), /group\.wxml: view tells nothing to bindtpa/],
  'an event that our component does not tell': [(edit) => edit('pages/group/group.wxml', (it) => it.replace('bindpress', 'bindtouch')), /app-button tells nothing to bindtouch/],
  'a setting that WeChat does not know': [(edit) => edit('app.json', (it) => it.replace('"pages"', '"pagez": [], "pages"')), /pagez/],
})
